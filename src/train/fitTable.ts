import { type ColumnNote, columnNotes } from "../columns/index.ts";
import { type Constants, sameConstants } from "../dataset/constantColumns.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import type { ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { tableFlows } from "../flows/tableFlows.ts";
import { withConstants } from "../flows/withConstants.ts";
import { parse } from "../parse.ts";
import { type FitResult, fit } from "./fit.ts";
import type { TrainingRows } from "./objective.ts";
import { type CheckpointStore, type FitOptions, fitSettingsSchema, settingsIn } from "./options.ts";
import { asDataset, asInMemory, like, type TrainingData, trainingRows } from "./rowsForTraining.ts";

export interface FitTableOptions extends Omit<FitOptions, "initialize" | "checkpoint"> {
  /** Of the context: class labels, or a network before it. */
  embedding?: ContextEmbeddingOptions;
  /** Told before training what `warnings` of the result will have: what makes log-densities of this table misleading. */
  onWarning?(message: string): void;
  /** Told before each flow is tried. */
  onFlow?(name: string): void;
  /** Where the checkpoints of the flow of this name are kept. */
  checkpoints?(name: string): CheckpointStore;
}

export interface FitTableResult extends FitResult {
  /** The best flow. */
  readonly flow: Flow;
  /** Which of `tableFlows` it is. */
  readonly name: string;
  /** What makes log-densities of this table misleading. */
  readonly warnings: readonly ColumnNote[];
}

/**
 * Learns the density of a table with the defaults of pushforward. Rows are given in any form of `RowsInput` that tells how many
 * columns they have, as a dataset such as `readRows` gives, or as a stream. It trains each of `tableFlows` and keeps the one that
 * gives the held-out rows the highest mean log-density. `maxMinutes` is shared among them, and flows that it leaves no time
 * for are not tried.
 *
 * A column with one value in all rows, those of `validation` included, is learned as this constant: it adds nothing to
 * log-densities, rows with another value get -Infinity, and samples have it. Throws `DATA` where all columns are constant,
 * or one of the context.
 *
 * The choice of flows and settings is the outcome of the comparison in docs/defaults.md.
 */
export async function fitTable(data: TrainingData, options: FitTableOptions = {}): Promise<FitTableResult> {
  const start = performance.now();
  const { context, weights, maxMinutes, embedding, onWarning } = options;
  const { embedding: _, onWarning: __, onFlow: ___, checkpoints: ____, ...others } = options;
  const { seed, validationFraction } = parse(fitSettingsSchema, settingsIn(others), "an option of fitTable");
  const given = asDataset(data, {}, { seed, context, weights });
  const heldOut =
    options.validation && asInMemory(options.validation, given instanceof Promise ? {} : like(given));
  // The first pass over a stream serves all flows.
  const all = await given;
  const rows = trainingRows(all, heldOut, { seed, validationFraction });
  const constants = heldOut ? sameConstants(all.constants, heldOut) : all.constants;
  const columns = all.columns ?? Array.from({ length: all.features }, (_, i) => `${i}`);
  checkConstants(columns, constants);
  const warnings = notesOf(columns, all.sample, embedding);
  for (const { message, hint } of warnings) onWarning?.(`${message} ${hint}`);
  const varying = withoutConstants(rows, constants.values);
  const fitted = await fitTableFlows(varying, heldOut ? rows.training.rows : all.rows, {
    ...options,
    ...(maxMinutes !== undefined && { maxMinutes: maxMinutes - (performance.now() - start) / 60_000 }),
  });
  const flow = withConstants(fitted.flow, constants.values);
  flow.columns = all.columns;
  flow.contextColumns = all.contextColumns;
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

function checkConstants(columns: readonly string[], { values, context }: Constants): void {
  if (values.size === columns.length) {
    throw new PushforwardError("DATA", "all columns are constant", {
      expected: "a column of at least two different values",
      received: columns
        .map((name, i) => `${values.get(i)} in ${name}`)
        .slice(0, 8)
        .join(", "),
      hint: "Give a table with a column that varies.",
    });
  }
  for (const [column, value] of context) {
    throw new PushforwardError("DATA", `column ${column} of the context is constant`, {
      expected: "at least two different values",
      received: `${value} in all rows`,
      hint: "Leave it out of the context: the others do not depend on it.",
    });
  }
}

/**
 * Trains the flows for a table that has no constant column, and keeps the best. Their sizes are chosen for `count` rows, those
 * that are held out included.
 */
export async function fitTableFlows(
  { training, validation }: TrainingRows,
  count: number,
  options: FitTableOptions = {},
): Promise<Omit<FitTableResult, "warnings">> {
  const start = performance.now();
  const { onWarning: _, onFlow, checkpoints, maxMinutes, embedding, ...rest } = options;
  const { context: __, weights: ___, ...others } = rest;
  const { features, contextFeatures } = training;
  const shape = { rows: count, context: contextFeatures, embedding, seed: options.seed };
  const candidates = tableFlows(features, shape);
  // Small tables gain from large steps and strong decay; what is learned from many rows must not be pulled back.
  const defaults =
    count > 20_000 ? { learningRate: 1e-3, weightDecay: 0.01 } : { learningRate: 3e-3, weightDecay: 0.3 };
  const optimizer = { ...defaults, ...options.optimizer };
  let best: Omit<FitTableResult, "warnings"> | undefined;
  for (const [i, { name, flow }] of candidates.entries()) {
    const left = maxMinutes === undefined ? undefined : maxMinutes - (performance.now() - start) / 60_000;
    if (best && left !== undefined && left <= 0) break;
    onFlow?.(name);
    const result = await fit(flow, training, {
      ...others,
      ...(validation && { validation }),
      optimizer,
      ...(left !== undefined && { maxMinutes: left / (candidates.length - i) }),
      ...(checkpoints && { checkpoint: checkpoints(name) }),
    });
    if (!best || result.validationLogDensity > best.validationLogDensity) best = { ...result, flow, name };
    if (result.stopped === "signal") break;
  }
  return best!;
}

/** Notes on the columns, and on those of the context that hold numbers. */
function notesOf(
  columns: readonly string[],
  { rows, values, context, contextFeatures: width }: InMemoryDataset,
  embedding: ContextEmbeddingOptions | undefined,
): ColumnNote[] {
  const numbers = embedding ? (embedding.numbers ?? 0) : width;
  const given = {
    columns: Array.from({ length: numbers }, (_, c) => `context ${c}`),
    rows,
    values: Float64Array.from(
      { length: rows * numbers },
      (_, i) => context[Math.floor(i / numbers) * width + (i % numbers)],
    ),
  };
  return columnNotes({ columns, rows, values, given });
}
