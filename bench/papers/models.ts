import { dataset } from "../../src/dataset/index.ts";
import { type Flow, maf, nsf, realNVP } from "../../src/flows/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { type FitResult, type FitSettings, fit } from "../../src/train/index.ts";
import type { RunOptions } from "./protocol.ts";
import type { Rows } from "./rows.ts";

/** A flow and its training settings. */
export interface Model {
  readonly name: string;
  build(shape: { features: number; rows: number; context: number; seed: number }): Flow;
  readonly settings?: FitSettings;
}

/** Rows and, for a conditional flow, their contexts. */
export interface ConditionedRows {
  readonly rows: Rows;
  readonly context?: Rows;
}

/** Builds and trains a model. Without validation rows, `fit` holds out a tenth of the rows for early stopping. */
export async function trainModel(
  model: Model,
  { rows, context }: ConditionedRows,
  run: Pick<RunOptions, "seed" | "quick" | "minutes"> & { validation?: ConditionedRows },
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

/** Settings that docs/defaults.md found best for small tables. */
const settings: FitSettings = { optimizer: { learningRate: 3e-3, weightDecay: 0.3 } };

/** Recipes for tables. */
export const tableModels = {
  "Real NVP": {
    name: "Real NVP",
    build: ({ features, context, seed }) =>
      forTables(realNVP(features, { transforms: 8, hidden: [64, 64], ordering: "random", context, seed })),
    settings: settings,
  },
  MAF: {
    name: "MAF",
    build: ({ features, context, seed }) =>
      forTables(maf(features, { transforms: 5, hidden: [64, 64], ordering: "random", context, seed })),
    settings: settings,
  },
  NSF: {
    name: "NSF",
    build: ({ features, context, seed }) =>
      forTables(nsf(features, { transforms: 3, hidden: [64, 64], ordering: "random", context, seed })),
    settings: settings,
  },
} satisfies Readonly<Record<string, Model>>;
