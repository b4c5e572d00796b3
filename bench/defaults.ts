/**
 * The comparison that the defaults of `fitTable` come from: flows, widths, regularization and learning rates on real
 * tables under the split of `references.json`, one factor at a time. Writes bench/defaults.json, which
 * `defaultsTable.ts` turns into docs/defaults.md.
 *
 *     node --import tsx bench/defaults.ts --data DIRECTORY [--only TABLE,...] [--configurations NAME,...]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Chain } from "../src/bijections/index.ts";
import { type Distribution, GaussianMixture, StandardNormal } from "../src/distributions/index.ts";
import { Flow, forTables, maf, nsf, type RecipeOptions, realNVP } from "../src/flows/index.ts";
import { Random } from "../src/random/index.ts";
import { type FitSettings, fit, fitTable } from "../src/train/index.ts";
import { loadTable, type Table } from "./tables.ts";

export const TABLES = [
  "yacht",
  "energy_dq",
  "concrete_dq",
  "banknote",
  "usgs_week",
  "abalone",
  "thyroid",
  "wine_white",
  "quakes",
  "protein",
];

interface Configuration extends FitSettings {
  base?: "normal" | "mixture";
  affine?: number;
  splines?: number;
  coupling?: number;
  width?: number;
}

const standard: Configuration = {
  base: "normal",
  affine: 2,
  splines: 2,
  width: 64,
  optimizer: { weightDecay: 0.3 },
};

/** Each but the first three differs from `affine` in what its name says. */
export const CONFIGURATIONS: Record<string, Configuration> = {
  affine: standard,
  splines: { ...standard, affine: 0, splines: 3 },
  mixture: { ...standard, base: "mixture" },
  "affine only (5)": { ...standard, affine: 5, splines: 0 },
  "affine couplings (8)": { ...standard, affine: 0, splines: 0, coupling: 8 },
  "width 32": { ...standard, width: 32 },
  "width 128": { ...standard, width: 128 },
  "decay 0.01": { ...standard, optimizer: { weightDecay: 0.01 } },
  "step 3e-4": { ...standard, optimizer: { weightDecay: 0.3, learningRate: 3e-4 } },
  "step 3e-3": { ...standard, optimizer: { weightDecay: 0.3, learningRate: 3e-3 } },
  "no average": { ...standard, averageDecay: 0 },
};

export interface Result {
  readonly table: string;
  readonly configuration: string;
  readonly test: number;
  readonly validation: number;
  readonly seconds: number;
  readonly epochs: number;
  readonly chosen?: string;
}

function build(
  table: Table,
  { base, affine = 0, splines = 0, coupling = 0, width = 64 }: Configuration,
): Flow {
  const { features } = table;
  const rows = table.train.length / features;
  const components = Math.max(1, Math.min(64, Math.floor(rows / (4 * features))));
  const start: Distribution =
    base === "mixture"
      ? new GaussianMixture({ features, components }, new Random(0))
      : new StandardNormal({ features });
  const shape: RecipeOptions = { hidden: [width, width], ordering: "random" };
  const layers = (flow: Flow) => (flow.bijection as Chain).bijections;
  const parts = [
    ...(coupling ? layers(realNVP(features, { ...shape, transforms: coupling })) : []),
    ...(splines ? layers(nsf(features, { ...shape, transforms: splines, seed: 1 })) : []),
    ...(affine ? layers(maf(features, { ...shape, transforms: affine })) : []),
  ];
  return forTables(new Flow(start, new Chain(parts)));
}

const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

async function compare(table: Table, name: string, maxMinutes: number): Promise<Result> {
  const start = performance.now();
  const validation = { values: table.validation };
  if (name === "fitTable") {
    const columns = Array.from({ length: table.features }, (_, i) => String(i));
    const result = await fitTable(
      { columns, values: table.train },
      { validation, maxMinutes: 2 * maxMinutes },
    );
    return {
      table: table.name,
      configuration: name,
      test: mean(await result.flow.logProb(table.test)),
      validation: result.validationLogDensity,
      seconds: (performance.now() - start) / 1000,
      epochs: result.epochs.length,
      chosen: result.name,
    };
  }
  const { base, affine, splines, coupling, width, ...settings } = CONFIGURATIONS[name];
  const flow = build(table, CONFIGURATIONS[name]);
  const result = await fit(flow, table.train, { ...settings, validation, maxMinutes });
  return {
    table: table.name,
    configuration: name,
    test: mean(await flow.logProb(table.test)),
    validation: result.validationLogDensity,
    seconds: (performance.now() - start) / 1000,
    epochs: result.epochs.length,
  };
}

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    only: { type: "string" },
    configurations: { type: "string" },
    minutes: { type: "string", default: "2" },
  },
});
if (!values.data) throw new Error("--data DIRECTORY: where uci/, earth/ and adbench/ are");
const file = new URL("defaults.json", import.meta.url);
const results: Result[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
for (const table of values.only?.split(",") ?? TABLES) {
  for (const name of values.configurations?.split(",") ?? ["fitTable", ...Object.keys(CONFIGURATIONS)]) {
    const result = await compare(loadTable(table, values.data), name, Number(values.minutes));
    const known = results.findIndex((r) => r.table === table && r.configuration === name);
    results.splice(known < 0 ? results.length : known, known < 0 ? 0 : 1, result);
    writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
    console.log(
      `${table} ${name}: test ${result.test.toFixed(3)}, held-out ${result.validation.toFixed(3)}, ${result.seconds.toFixed(0)} s ${result.chosen ?? ""}`,
    );
  }
}
