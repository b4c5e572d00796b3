import { type ColumnNote, columnNotes } from "../columns/index.ts";
import type { ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { tableFlows } from "../flows/tableFlows.ts";
import { withConstants } from "../flows/withConstants.ts";
import { type Constants, sameConstants } from "./constantColumns.ts";
import { type FitResult, fit } from "./fit.ts";
import type { CheckpointStore, FitOptions } from "./options.ts";
import { constantsOf, inMemory, type RowStream, StreamedRows, withoutColumns } from "./rowStream.ts";
import { checkedRows, type TrainingRows, tooFew } from "./rows.ts";

/** Rows of named columns: in memory, as `readMatrix` gives them, or a stream. */
export type TableRows = { readonly columns: readonly string[] } & (
  | {
      /** [rows, columns.length] */
      readonly values: ArrayLike<number>;
    }
  | { readonly stream: RowStream }
);

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

export interface FittedTable extends FitResult {
  /** The best flow. */
  readonly flow: Flow;
  /** Which of `tableFlows` it is. */
  readonly name: string;
  /** What makes log-densities of this table misleading. */
  readonly warnings: readonly ColumnNote[];
}

/**
 * Learns the density of a table with the defaults of pushforward: trains each of `tableFlows` and keeps the one that
 * gives the held-out rows the highest mean log-density. `maxMinutes` is shared among them, and flows that it leaves no time
 * for are not tried.
 *
 * A column with one value in all rows, those of `validation` included, is learned as this constant: it adds nothing to
 * log-densities, rows with another value get -Infinity, and samples have it. Throws `DATA` where all columns are constant,
 * or one of the context.
 *
 * The choice of flows and settings is the outcome of the comparison in docs/defaults.md.
 */
export async function fitTable(table: TableRows, options: FitTableOptions = {}): Promise<FittedTable> {
  const start = performance.now();
  const features = table.columns.length;
  // The first pass over a stream serves all flows.
  const data =
    "stream" in table
      ? await StreamedRows.of(table.stream, features, options.seed)
      : rowsOf(table.values, features, options);
  const validation = options.validation && rowsOf(options.validation.values, features, options.validation);
  const found = constantsOf(data);
  const constants = validation ? sameConstants(found, validation) : found;
  checkConstants(table.columns, constants);
  const warnings = notesOf(table.columns, inMemory(data), options.embedding);
  for (const { message, hint } of warnings) options.onWarning?.(`${message} ${hint}`);
  const fitted = await fitTableFlows(
    withoutColumns(data, constants.values),
    features - constants.values.size,
    {
      ...options,
      ...(options.maxMinutes !== undefined && {
        maxMinutes: options.maxMinutes - (performance.now() - start) / 60_000,
      }),
      ...(validation && { validation: withoutColumns(validation, constants.values) }),
    },
  );
  return { ...fitted, flow: withConstants(fitted.flow, constants.values), warnings };
}

function rowsOf(
  values: ArrayLike<number>,
  features: number,
  { context = [], weights }: Pick<FitOptions, "context" | "weights">,
) {
  const given = {
    values: Float64Array.from(values),
    context: Float64Array.from(context),
    ...(weights && { weights: Float64Array.from(weights) }),
  };
  const rows = checkedRows({ features, context: (features * context.length) / values.length }, given);
  if (rows.rows >= 2) return rows;
  throw tooFew(rows.rows);
}

function checkConstants(columns: readonly string[], { values, context }: Constants): void {
  if (values.size === columns.length) {
    throw new PushforwardError("DATA", "all columns are constant", {
      expected: "a column of at least two different values",
      received: columns
        .map((name, i) => `${values.get(i)} in ${name}`)
        .slice(0, 8)
        .join(", "),
      mend: "Give a table with a column that varies.",
    });
  }
  for (const [column, value] of context) {
    throw new PushforwardError("DATA", `column ${column} of the context is constant`, {
      expected: "at least two different values",
      received: `${value} in all rows`,
      mend: "Leave it out of the context: the others do not depend on it.",
    });
  }
}

/** Trains the flows for a table that has no constant column, and keeps the best. */
export async function fitTableFlows(
  data: TrainingRows | StreamedRows,
  features: number,
  options: FitTableOptions = {},
): Promise<Omit<FittedTable, "warnings">> {
  const start = performance.now();
  const { onWarning: _, onFlow, checkpoints, maxMinutes, embedding, ...rest } = options;
  const { rows } = data;
  const context = data instanceof StreamedRows ? data.widths.context : data.context.length / rows;
  const candidates = tableFlows(features, { rows, context, embedding, seed: options.seed });
  // Small tables gain from large steps and strong decay; what is learned from many rows must not be pulled back.
  const defaults =
    rows > 20_000 ? { learningRate: 1e-3, weightDecay: 0.01 } : { learningRate: 3e-3, weightDecay: 0.3 };
  const optimizer = { ...defaults, ...options.optimizer };
  let best: Omit<FittedTable, "warnings"> | undefined;
  for (const [i, { name, flow }] of candidates.entries()) {
    const left = maxMinutes === undefined ? undefined : maxMinutes - (performance.now() - start) / 60_000;
    if (best && left !== undefined && left <= 0) break;
    onFlow?.(name);
    const result = await fit(flow, data, {
      ...rest,
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
  { rows, values, context }: TrainingRows,
  embedding: ContextEmbeddingOptions | undefined,
): ColumnNote[] {
  const width = context.length / rows;
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
