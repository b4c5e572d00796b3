import {
  anyValue,
  callback,
  checkOptions,
  isPlainObject,
  type OptionRule,
  type OptionRules,
  PushforwardError,
} from "../../check/index.ts";
import { type Constants, type InMemoryDataset, sameConstants } from "../../dataset/index.ts";
import { ContextEmbedding, type ContextEmbeddingOptions } from "../../distributions/index.ts";
import { embedContext, type Flow, type RecipeOptions } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";
import {
  type CheckpointStore,
  commonFitRules,
  definedOptions,
  type FitOptions,
  type FitResult,
  fit,
  fitSettingsSchema,
  readTrainingRows,
  remainingMinutes,
  settingsIn,
  type TrainingData,
  type TrainingRows,
} from "../../train/index.ts";
import { type ColumnNote, columnNotes } from "../notes/index.ts";
import { tableFlowOptimizer } from "./tableFlowOptimizer.ts";
import { forTables, tableFlows } from "./tableFlows.ts";
import { withConstants } from "./withConstants.ts";

/** Options of `fitFlows`. */
export interface FitFlowsOptions extends Omit<FitOptions, "initialize" | "checkpoint"> {
  /** Embedding of the context: which columns are class labels, and a network that transforms them. Default none. */
  embedding?: ContextEmbeddingOptions | undefined;
  /**
   * Recipes to try in place of `tableFlows`, by the name that the result has: functions such as `nsf`, or
   * `(features, options) => nsf(features, { ...options, hidden: [128, 128] })`. `forTables` is applied to their flows, and the
   * optimizer has the defaults of `fit`.
   */
  recipes?:
    | Readonly<Record<string, (features: number, options: Pick<RecipeOptions, "context" | "seed">) => Flow>>
    | undefined;
  /** Called before training with each of the `warnings` of the result. */
  onWarning?: ((message: string) => void) | undefined;
  /** Called before each candidate flow is trained. */
  onFlow?: ((name: string) => void) | undefined;
  /** The checkpoint store for the flow of this name. */
  checkpoints?: ((name: string) => CheckpointStore) | undefined;
}

const recipesRule: OptionRule = {
  expected: "an object of recipes by name, such as { nsf }",
  accepts: (value) => {
    const recipes = isPlainObject(value) ? Object.values(value) : [];
    return recipes.length > 0 && recipes.every((recipe) => typeof recipe === "function");
  },
};

const fitFlowsRules: OptionRules<FitFlowsOptions> = {
  ...commonFitRules,
  embedding: anyValue,
  recipes: recipesRule,
  onWarning: callback,
  onFlow: callback,
  checkpoints: callback,
};

/** The result of `fitFlows`. */
export interface FitFlowsResult extends FitResult {
  /** The flow with the largest validation log-density. */
  readonly flow: Flow;
  /** The name of the flow in `tableFlows` or `recipes`. */
  readonly name: string;
  /** Properties of columns that make log-densities of this table misleading, such as repeated values. */
  readonly warnings: readonly ColumnNote[];
}

/**
 * Fits a flow to a table with default recipes and settings. It trains each of `tableFlows` and returns the one with the
 * highest mean log-density on the held-out rows. The flows share `maxMinutes`; when the time is up, no further flow is tried.
 *
 * `data` is rows in any form of `RowsInput` that shows the number of columns, a dataset such as `readRows` returns, or a stream.
 *
 * A column with the same value in all rows, including those of `validation`, is modeled as a constant: it adds 0 to
 * log-densities, rows with another value have -Infinity, and all samples have the value.
 *
 * docs/defaults.md has the comparison that led to these flows and settings.
 *
 * @throws DATA when all columns are constant, or a column of the context is; and what `fit` throws.
 */
export async function fitFlows<Row extends object>(
  data: TrainingData<Row>,
  options: FitFlowsOptions = {},
): Promise<FitFlowsResult> {
  const start = performance.now();
  checkOptions("fitFlows", options, fitFlowsRules);
  const { maxMinutes, embedding, onWarning } = options;
  const settings = settingsIn(fitSettingsSchema, options, "fitFlows");
  // A stream is summarized once here, and not again for each flow.
  const { allRows, validation, rows } = await readTrainingRows(data, {}, options, settings);
  const constants = validation ? sameConstants(allRows.constants, validation) : allRows.constants;
  const columns = allRows.columns ?? Array.from({ length: allRows.features }, (_, i) => `${i}`);
  checkConstants(columns, allRows.contextColumns, constants);
  const warnings = columnWarnings(columns, allRows.sample, embedding);
  for (const { message, hint } of warnings) onWarning?.(`${message} ${hint}`);
  const varying = withoutConstants(rows, constants.values);
  const fitted = await trainFlows(varying, validation ? rows.training.rows : allRows.rows, {
    ...options,
    ...(maxMinutes !== undefined && { maxMinutes: await remainingMinutes(start, maxMinutes) }),
  });
  const flow = withConstants(fitted.flow, constants.values);
  flow.columns = allRows.columns;
  flow.contextColumns = allRows.contextColumns;
  return {
    ...fitted,
    ...(rows as Pick<FitResult, "training" | "validation">),
    flow,
    warnings,
  };
}

/** Rows without their constant columns. */
export const withoutConstants = (
  { training, validation }: TrainingRows,
  constants: ReadonlyMap<number, number>,
): TrainingRows => ({
  training: training.withoutColumns(constants),
  validation: validation?.withoutColumns(constants),
});

function checkConstants(
  columns: readonly string[],
  contextColumns: readonly string[] | undefined,
  { values, context }: Constants,
): void {
  if (values.size === columns.length) {
    throw new PushforwardError("DATA", "all columns are constant", {
      expected: "a column with at least two different values",
      received: columns
        .map((name, i) => `${values.get(i)} in ${name}`)
        .slice(0, 8)
        .join(", "),
      hint: "Give a table with a column that varies.",
    });
  }
  for (const [column, value] of context) {
    throw new PushforwardError(
      "DATA",
      `column ${contextColumns?.[column] ?? column} of the context is constant`,
      {
        expected: "at least two different values",
        received: `${value} in all rows`,
        hint: "Remove it from the context: no density can depend on a constant.",
      },
    );
  }
}

/**
 * Trains the candidate flows for a table without constant columns, and returns the best. `count` is the number of rows, including
 * held-out rows, from which the sizes of the flows are chosen.
 */
export async function trainFlows(
  { training, validation }: TrainingRows,
  count: number,
  options: FitFlowsOptions = {},
): Promise<Omit<FitFlowsResult, "warnings">> {
  const start = performance.now();
  const { onWarning: _, onFlow, checkpoints, maxMinutes, embedding, recipes, ...dataOptions } = options;
  const { context: __, weights: ___, validationFraction: ____, ...fitOptions } = dataOptions;
  const { features, contextFeatures } = training;
  const shape = { rows: count, context: contextFeatures, embedding, seed: options.seed };
  const candidates = recipes
    ? Object.entries(recipes).map(([name, recipe]) => ({ name, flow: fromRecipe(recipe, features, shape) }))
    : tableFlows(features, shape);
  const optimizer = { ...(!recipes && tableFlowOptimizer(count)), ...definedOptions(options.optimizer) };
  let best: Omit<FitFlowsResult, "warnings"> | undefined;
  for (const [i, { name, flow }] of candidates.entries()) {
    const minutesLeft = await remainingMinutes(start, maxMinutes, options.communicator);
    if (best && minutesLeft !== undefined && minutesLeft <= 0) break;
    onFlow?.(name);
    const result = await fit(flow, training, {
      ...fitOptions,
      ...(validation && { validation }),
      optimizer,
      ...(minutesLeft !== undefined && { maxMinutes: minutesLeft / (candidates.length - i) }),
      ...(checkpoints && { checkpoint: checkpoints(name) }),
    });
    if (!best || result.validationLogDensity > best.validationLogDensity) best = { ...result, flow, name };
    if (result.stopped === "signal") break;
  }
  return best!;
}

/** The flow of a recipe, with the changes of `forTables` and an embedding of class labels in the context. */
function fromRecipe(
  recipe: NonNullable<FitFlowsOptions["recipes"]>[string],
  features: number,
  { context, embedding, seed }: { context: number; embedding?: ContextEmbeddingOptions; seed?: number },
): Flow {
  const embed = embedding && new ContextEmbedding(embedding, new Random(seed ?? 0).split("embedding"));
  const flow = recipe(features, { context: embed?.size ?? context, ...(seed !== undefined && { seed }) });
  return forTables(embed ? embedContext(flow, embed) : flow);
}

/** Notes on the columns, and on the numeric columns of the context, which are its first columns. */
function columnWarnings(
  columns: readonly string[],
  { rows, values, context, contextFeatures: width, contextColumns }: InMemoryDataset,
  embedding: ContextEmbeddingOptions | undefined,
): ColumnNote[] {
  const numbers = embedding ? (embedding.numbers ?? 0) : width;
  const numericContext = {
    columns: Array.from({ length: numbers }, (_, c) => contextColumns?.[c] ?? `context ${c}`),
    rows,
    values: Float64Array.from(
      { length: rows * numbers },
      (_, i) => context[Math.floor(i / numbers) * width + (i % numbers)],
    ),
  };
  return columnNotes({ columns, rows, values }, { given: numericContext });
}
