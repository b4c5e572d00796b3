import { dataset } from "../../src/dataset/index.ts";
import { type Flow, forTables, maf, nsf, realNVP } from "../../src/flows/index.ts";
import { type FitResult, type FitSettings, fit } from "../../src/train/index.ts";
import type { Run } from "./protocol.ts";
import type { Rows } from "./rows.ts";

/** A flow to be tried, and how it is trained. */
export interface Model {
  readonly name: string;
  build(shape: { features: number; rows: number; context: number; seed: number }): Flow;
  readonly settings?: FitSettings;
}

/** Rows with their contexts. */
export interface Conditioned {
  readonly rows: Rows;
  readonly context?: Rows;
}

/** Builds and trains a model; a tenth of the rows is held out for early stopping where no validation rows are given. */
export async function trained(
  model: Model,
  { rows, context }: Conditioned,
  run: Pick<Run, "seed" | "quick" | "minutes"> & { validation?: Conditioned },
): Promise<{ flow: Flow; result: FitResult }> {
  const { seed, quick, minutes, validation } = run;
  const count = rows.values.length / rows.features;
  const flow = model.build({ features: rows.features, rows: count, context: context?.features ?? 0, seed });
  const result = await fit(flow, rows.values, {
    ...model.settings,
    seed,
    ...(quick && { epochs: 3 }),
    ...(minutes !== undefined && { maxMinutes: minutes }),
    ...(context && { context: context.values }),
    ...(validation && {
      validation: dataset(validation.rows.values, {
        features: rows.features,
        context: validation.context?.values,
      }),
    }),
  });
  return { flow, result };
}

/** What small tables gain from: see docs/defaults.md. */
const small: FitSettings = { optimizer: { learningRate: 3e-3, weightDecay: 0.3 } };

/** Recipes for tables. */
export const tableModels = {
  "Real NVP": {
    name: "Real NVP",
    build: ({ features, context, seed }) =>
      forTables(realNVP(features, { transforms: 8, hidden: [64, 64], ordering: "random", context, seed })),
    settings: small,
  },
  MAF: {
    name: "MAF",
    build: ({ features, context, seed }) =>
      forTables(maf(features, { transforms: 5, hidden: [64, 64], ordering: "random", context, seed })),
    settings: small,
  },
  NSF: {
    name: "NSF",
    build: ({ features, context, seed }) =>
      forTables(nsf(features, { transforms: 3, hidden: [64, 64], ordering: "random", context, seed })),
    settings: small,
  },
} satisfies Readonly<Record<string, Model>>;
