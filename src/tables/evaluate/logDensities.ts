import { callback, checkOptions, type OptionRules, PushforwardError, text } from "../../check/index.ts";
import { checkColumns, type InMemoryDataset } from "../../dataset/index.ts";
import type { Flow, RunOptions } from "../../flows/index.ts";
import { inFloat64, runRules } from "../../runtime/index.ts";
import { encodeTable, type TableColumn, type TableInput } from "../columns/index.ts";
import { withoutMissing, withStatus } from "../model/index.ts";

/** Options of `logDensities`. */
export interface LogDensitiesOptions extends RunOptions {
  /** What an error calls the rows, such as the name of their file. Default "the rows". */
  readonly source?: string | undefined;
  /** Returns what messages call a row, from its row number: such as "row 3 of b.csv". Default: "row", the number, "of" and `source`. */
  readonly rowText?: ((row: number) => string) | undefined;
}

/** The rules of these options. */
export const logDensitiesRules: OptionRules<LogDensitiesOptions> = {
  ...runRules,
  source: text,
  rowText: callback,
};

/**
 * The log-density of each row under a flow, in nats and data units: [N], by `inBothPrecisions`.
 *
 * @throws NUMERIC, with the number of the row, when a log-density is NaN in float64 too; SHAPE or DATA for rows that the flow does not accept,
 *   such as a dataset whose columns are in another order than those of the flow.
 */
export async function logDensities(
  flow: Flow,
  rows: InMemoryDataset,
  options: LogDensitiesOptions = {},
): Promise<Float64Array> {
  checkOptions("logDensities", options, logDensitiesRules);
  const { source = "the rows", rowText = (row) => `row ${row} of ${source}`, ...run } = options;
  const { features, columns, contextColumns } = flow;
  checkColumns(rows, { features, columns, contextColumns }, { rows: "rows", owner: "the flow" });
  const context = rows.contextFeatures > 0 ? rows.context : undefined;
  const found = await inBothPrecisions(run, (options) => flow.logProb(rows.values, context, options));
  return checked(found, rows, rowText);
}

/**
 * Log-densities in float32. Rows whose values overflow float32, whose largest number is 3.4e38, have a log-density of -Infinity or NaN there:
 * those that are not finite are computed again in float64, by the CPU if the provider is WebGPU. The others keep theirs, so that the
 * log-density of a row does not depend on the rows beside it. With the option `precision`, only that one is used.
 */
export async function inBothPrecisions(
  run: RunOptions,
  logProb: (options: RunOptions) => Promise<Float64Array>,
): Promise<Float64Array> {
  const single = await logProb(run);
  if (run.precision !== undefined || single.every(Number.isFinite)) return single;
  const double = await logProb(inFloat64(run));
  return single.map((value, n) => (Number.isFinite(value) ? value : double[n]!));
}

function checked(
  logDensities: Float64Array,
  { rowNumbers }: InMemoryDataset,
  rowText: (row: number) => string,
): Float64Array {
  const first = logDensities.findIndex(Number.isNaN);
  if (first < 0) return logDensities;
  throw new PushforwardError("NUMERIC", `the log-density of ${rowText(rowNumbers[first])} is not a number`, {
    hint: "Check the values of this row, or leave it out.",
  });
}

/**
 * The log-density of each row of a table, in nats: [N], by `inBothPrecisions`. It is -Infinity for rows that the model considers impossible,
 * and NaN for rows with a missing value in a column without gaps. Throws `DATA` as `encodeTable` does.
 */
export async function tableLogDensities(
  { flow, columns }: { readonly flow: Flow; readonly columns: readonly TableColumn[] },
  rows: TableInput,
  { context, run }: { readonly context?: number[][] | undefined; readonly run: RunOptions },
): Promise<Float64Array> {
  const names = columns.map(({ name }) => name);
  const { values, status } = encodeTable(columns, rows, names);
  const features = withoutMissing(values, status);
  const scores = await inBothPrecisions(run, (options) => flow.logProb(features, context, options));
  return withStatus(scores, status, Number.NEGATIVE_INFINITY);
}
