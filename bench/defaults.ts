/**
 * Compares flows, widths, regularization and learning rates on real tables, one factor at a time and with several seeds. The
 * defaults of `fitFlows` come from this comparison. Writes bench/defaults.json, from which `defaultsTable.ts` writes
 * docs/defaults.md. Only `fitFlows` and the mixture of `fitTable` are evaluated on test rows: the choice of defaults uses validation rows
 * only.
 *
 *     node --import tsx bench/defaults.ts --data DIRECTORY [--only TABLE,...] [--configurations NAME,...] [--seeds 0,1,2]
 *
 * Tables of more than 20,000 rows have other configurations than the others: `--configurations` leaves out tables that do not have NAME.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Chain } from "../src/bijections/index.ts";
import { concatRows } from "../src/dataset/concatRows.ts";
import { dataset } from "../src/dataset/index.ts";
import { type Distribution, GaussianMixture, StandardNormal } from "../src/distributions/index.ts";
import { Flow, maf, nsf, type RecipeOptions, realNVP } from "../src/flows/index.ts";
import { Random } from "../src/random/index.ts";
import { tableHeads } from "../src/tables/columns/columnHeads.ts";
import { inferColumn } from "../src/tables/columns/inferColumn.ts";
import { fitMembers } from "../src/tables/fit/fitMembers.ts";
import { fitFlows, forTables } from "../src/tables/fit/index.ts";
import { type FitResult, type FitSettings, fit } from "../src/train/index.ts";
import { mean, standardError } from "./papers/statistics.ts";
import { loadTable, TABLES, type Table } from "./tables.ts";

/** A flow and its training settings: numbers of affine, spline and affine coupling layers, and width of the hidden layers. */
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

/** The configurations after the first three differ from `affine` only in the property in their names. */
const CONFIGURATIONS: Record<string, Configuration> = {
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

const manyRows: Configuration = {
  base: "normal",
  affine: 5,
  width: 128,
  optimizer: { weightDecay: 0.01, learningRate: 1e-3 },
};

/** Configurations for tables of more than 20,000 rows. */
const CONFIGURATIONS_FOR_MANY_ROWS: Record<string, Configuration> = {
  affine: manyRows,
  splines: { ...manyRows, affine: 0, splines: 3 },
  mixture: { ...manyRows, base: "mixture" },
  "decay 0.3": { ...manyRows, optimizer: { weightDecay: 0.3, learningRate: 1e-3 } },
  "step 3e-3": { ...manyRows, optimizer: { weightDecay: 0.01, learningRate: 3e-3 } },
};

const trainingRows = ({ train, features }: Table) => train.length / features;
const configurationsFor = (table: Table): Record<string, Configuration> =>
  trainingRows(table) > 20_000 ? CONFIGURATIONS_FOR_MANY_ROWS : CONFIGURATIONS;

/** One training run. */
export interface Trial {
  readonly seed: number;
  /** Mean log-density of the validation rows. */
  readonly validation: number;
  /** Processor time of all threads, which depends little on other load of the machine. */
  readonly seconds: number;
  readonly epochs: number;
  readonly stopped: FitResult["stopped"];
  /** Mean log-density of the test rows; only for `fitFlows` and `fitTable`. */
  readonly test?: number;
  /** The name of the flow that `fitFlows` selected, or the members of the mixture of `fitTable` with their weights. */
  readonly chosen?: string;
}

/** The trials of one configuration on one table. */
export interface Result {
  readonly table: string;
  readonly configuration: string;
  /** Digest of the table's values: see `Table`. */
  readonly digest: string;
  /** Mean log-density of the validation rows, averaged over seeds. */
  readonly validation: number;
  readonly seeds: readonly Trial[];
  /** Mean log-density of the test rows, averaged over seeds; only for `fitFlows` and `fitTable`. */
  readonly test?: number;
  /** Standard error of `test` over the test rows, where each row's log-density is averaged over seeds. */
  readonly testError?: number;
}

function build(
  table: Table,
  { base, affine = 0, splines = 0, coupling = 0, width = 64 }: Configuration,
  seed: number,
): Flow {
  const { features } = table;
  const components = Math.max(1, Math.min(64, Math.floor(trainingRows(table) / (4 * features))));
  const baseDistribution: Distribution =
    base === "mixture"
      ? new GaussianMixture({ features, components }, new Random(seed))
      : new StandardNormal({ features });
  const options: RecipeOptions = { hidden: [width, width], ordering: "random" };
  const layers = (flow: Flow) => (flow.bijection as Chain).bijections;
  const parts = [
    ...(coupling ? layers(realNVP(features, { ...options, transforms: coupling, seed })) : []),
    ...(splines ? layers(nsf(features, { ...options, transforms: splines, seed: seed + 1 })) : []),
    ...(affine ? layers(maf(features, { ...options, transforms: affine, seed })) : []),
  ];
  return forTables(new Flow(baseDistribution, new Chain(parts)));
}

/** A trial that is evaluated on the test rows, with their log-densities. */
type TestedTrial = { trial: Trial; logProb: Float64Array };

/**
 * The mixture of `fitTable`, with all columns continuous, so that its densities are comparable with those of flows. Undefined if it would
 * have probabilities for values that repeat.
 */
async function trialOfFitTable(
  { features, ...table }: Table,
  seed: number,
): Promise<TestedTrial | undefined> {
  const start = process.cpuUsage();
  const columns = Array.from({ length: features }, (_, d) => {
    const values = [table.train, table.validation].map((rows) => columnOf(rows, features, d));
    const raw = { name: `x${d}`, type: "number" as const, values: concatRows(values) };
    const inferred = inferColumn(raw, { kind: "continuous" });
    if (!("column" in inferred) || inferred.column.kind !== "continuous")
      throw new Error(`column ${d} of ${table.name} is not continuous`);
    return inferred.column;
  });
  const encoded = (rows: Float64Array) =>
    dataset(
      rows.map((value, i) => value - columns[i % features].center),
      { features },
    );
  const training = encoded(table.train);
  const hasAtoms = tableHeads(columns, training).some((head) => "atoms" in head && head.atoms?.length);
  if (hasAtoms) return undefined;
  const result = await fitMembers(columns, { training, validation: encoded(table.validation) }, { seed });
  const seconds = cpuSeconds(start);
  const logProb = await result.flow.logProb(encoded(table.test).values);
  const { validationLogDensity: validation, stopped, trainingCurve } = result;
  const chosen = result.members.map(({ name, weight }) => `${name} ${Math.round(100 * weight)}%`).join(", ");
  const { length: epochs } = trainingCurve.epochs;
  return { trial: { seed, validation, seconds, epochs, stopped, test: mean(logProb), chosen }, logProb };
}

const columnOf = (rows: Float64Array, features: number, d: number) =>
  rows.filter((_, i) => i % features === d);

async function trialOfFitFlows(table: Table, seed: number): Promise<TestedTrial> {
  const start = process.cpuUsage();
  const { features } = table;
  const validation = dataset(table.validation, { features });
  const result = await fitFlows(dataset(table.train, { features }), { validation, seed });
  const seconds = cpuSeconds(start);
  const logProb = await result.flow.logProb(table.test);
  return {
    trial: { ...summarizeTrial(result, seed, seconds), test: mean(logProb), chosen: result.name },
    logProb,
  };
}

async function trialOfConfiguration(table: Table, name: string, seed: number): Promise<Trial> {
  const start = process.cpuUsage();
  const configuration = configurationsFor(table)[name];
  const { base, affine, splines, coupling, width, ...settings } = configuration;
  const flow = build(table, configuration, seed);
  const result = await fit(flow, table.train, {
    ...settings,
    validation: table.validation,
    seed,
  });
  return summarizeTrial(result, seed, cpuSeconds(start));
}

function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** The configurations that are evaluated on test rows. */
const DEFAULTS: Record<string, (table: Table, seed: number) => Promise<TestedTrial | undefined>> = {
  fitTable: trialOfFitTable,
  fitFlows: trialOfFitFlows,
};

const summarizeTrial = (result: FitResult, seed: number, seconds: number): Trial => ({
  seed,
  validation: result.validationLogDensity,
  seconds,
  epochs: result.epochs.length,
  stopped: result.stopped,
});

async function evaluateConfiguration(
  table: Table,
  configuration: string,
  seeds: readonly number[],
): Promise<Result | undefined> {
  const trials: Trial[] = [];
  const meanLogProb = new Float64Array(table.test.length / table.features);
  for (const seed of seeds) {
    if (Object.hasOwn(DEFAULTS, configuration)) {
      const tested = await DEFAULTS[configuration](table, seed);
      if (tested === undefined) return undefined;
      trials.push(tested.trial);
      tested.logProb.forEach((value, i) => {
        meanLogProb[i] += value / seeds.length;
      });
    } else {
      trials.push(await trialOfConfiguration(table, configuration, seed));
    }
  }
  return {
    table: table.name,
    configuration,
    digest: table.digest,
    ...(Object.hasOwn(DEFAULTS, configuration) && {
      test: mean(meanLogProb),
      testError: standardError(meanLogProb),
    }),
    validation: mean(trials.map(({ validation }) => validation)),
    seeds: trials,
  };
}

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    only: { type: "string" },
    configurations: { type: "string" },
    seeds: { type: "string", default: "0,1,2" },
  },
});
if (!values.data)
  throw new Error("--data DIRECTORY is required: the directory that contains uci/, earth/ and adbench/");
const seeds = values.seeds.split(",").map(Number);
const chosenConfigurations = values.configurations?.split(",");
const knownConfigurations = new Set(
  [DEFAULTS, CONFIGURATIONS, CONFIGURATIONS_FOR_MANY_ROWS].flatMap((each) => Object.keys(each)),
);
for (const name of chosenConfigurations ?? []) {
  if (!knownConfigurations.has(name))
    throw new Error(`no configuration ${name}; there are ${[...knownConfigurations].join(", ")}`);
}
const file = new URL("defaults.json", import.meta.url);
const results: Result[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
for (const name of values.only?.split(",") ?? TABLES) {
  const table = loadTable(name, values.data);
  const allConfigurations = [...Object.keys(DEFAULTS), ...Object.keys(configurationsFor(table))];
  for (const configuration of chosenConfigurations ?? allConfigurations) {
    if (!allConfigurations.includes(configuration)) {
      console.log(`${name} has no configuration ${configuration}`);
      continue;
    }
    const result = await evaluateConfiguration(table, configuration, seeds);
    const existing = results.findIndex((r) => r.table === name && r.configuration === configuration);
    // A result of earlier code is removed even if there is no new one.
    results.splice(existing < 0 ? results.length : existing, 1, ...(result ? [result] : []));
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    if (result === undefined) {
      console.log(`${name} ${configuration}: values repeat, and have probabilities instead of densities`);
      continue;
    }
    const seconds = result.seeds.map((trial) => `${trial.seconds.toFixed(0)} s ${trial.chosen ?? ""}`);
    console.log(
      `${name} ${configuration}: validation ${result.validation.toFixed(3)}, ${seconds.join(", ")}`,
    );
  }
}
