import { checkOptions, listOfTexts, type OptionRules, PushforwardError } from "../../check/index.ts";
import { InMemoryDataset, type RowStream, readAhead } from "../../dataset/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { infiniteValueError } from "./finiteValues.ts";
import type { Table } from "./table.ts";

/** Consecutive rows of a table. */
export interface TableBlock {
  /** The number of the first row in the table, counted from 1. */
  readonly start: number;
  /** The number of rows, including those with a missing value. */
  readonly total: number;
  /** The rows without a missing value (NULL or NaN), with their numbers in the table. */
  readonly complete: InMemoryDataset;
}

/** Rows with the names of their features. */
export type NamedRows = InMemoryDataset & { readonly columns: readonly string[] };

/** Options of `readRows` and `streamRows`. */
export interface TableRowsOptions {
  /** Columns that become the context of each row. Default none. */
  readonly given?: readonly string[] | undefined;
}

const rowsRules: OptionRules<TableRowsOptions> = { given: listOfTexts };

/** The number of rows per block for `width` columns: enough rows to split among threads, and at most 8 MB of numbers. */
export const rowsPerBlock = (width: number): number => Math.min(32_768, Math.ceil(2 ** 20 / width));

/**
 * Reads the columns `columns`, and `given` as the context, of all rows without a missing value. The row numbers are those of the
 * table: they start at 1, and do not count the header. Integers beyond 2^53 are rounded to 64-bit floating-point numbers.
 *
 * @throws FILE if the file has changed since the table was opened; DATA if a value is infinite, with its column and row.
 */
export async function readRows(
  table: Table,
  columns: readonly string[],
  options: TableRowsOptions = {},
): Promise<NamedRows> {
  checkOptions("readRows", options, rowsRules);
  const { given = [] } = options;
  const [features, contextFeatures] = [columns.length, given.length];
  const values = new Float64Array(table.rows * features);
  const context = new Float64Array(table.rows * contextFeatures);
  const rowNumbers = new Int32Array(table.rows);
  let rows = 0;
  for await (const { complete } of scanRows(table, columns, options)) {
    // The file has grown since it was opened: the scan throws an error at its end.
    if (rows + complete.rows > table.rows) continue;
    values.set(complete.values, rows * features);
    context.set(complete.context, rows * contextFeatures);
    rowNumbers.set(complete.rowNumbers, rows);
    rows += complete.rows;
  }
  return new InMemoryDataset({
    features,
    columns: [...columns],
    contextColumns: [...given],
    values: values.subarray(0, rows * features),
    context: context.subarray(0, rows * contextFeatures),
    rowNumbers: rowNumbers.subarray(0, rows),
  }) as NamedRows;
}

/**
 * Streams the rows that `readRows` reads. Memory does not grow with the table.
 *
 * @throws ARGUMENT for options that are not valid; while rows are read, FILE if the file has changed since the table was opened, and DATA
 *   if a value is infinite, or if fewer than two rows have no missing value.
 */
export const streamRows = (
  table: Table,
  columns: readonly string[],
  options: TableRowsOptions = {},
): RowStream => {
  checkOptions("streamRows", options, rowsRules);
  return async function* rows() {
    let complete = 0;
    for await (const block of scanRows(table, columns, options)) {
      complete += block.complete.rows;
      yield block.complete;
    }
    checkMinimumRows({ rows: complete, missing: table.rows - complete }, table.source);
  };
};

/**
 * Streams the columns `columns`, and `given` as the context, in the order of the table, in blocks of `blockRows` rows; the last
 * block may be shorter. The next block is read while one is in use.
 *
 * Several scans may run at the same time. Memory does not grow with the table. Throws the errors of `readRows`.
 */
export function scanRows(
  table: Table,
  columns: readonly string[],
  {
    given = [],
    blockRows = rowsPerBlock(columns.length + given.length),
  }: TableRowsOptions & { readonly blockRows?: number } = {},
): AsyncGenerator<TableBlock> {
  if (columns.length + given.length === 0) {
    throw new PushforwardError("ARGUMENT", "no columns are chosen", {
      hint: "Name at least one column, or leave the list out to read all.",
    });
  }
  return readAhead(blocks(table, columns, given, blockRows));
}

async function* blocks(
  table: Table,
  columns: readonly string[],
  given: readonly string[],
  blockRows: number,
): AsyncGenerator<TableBlock> {
  const names = [...columns, ...given];
  let start = 1;
  try {
    for await (const values of table.database.stream(
      names.map(quotedIdentifier),
      table.relation.sql,
      blockRows,
    )) {
      const missing = findMissingRows(table, names, values, start);
      const total = values.length / names.length;
      yield { start, total, complete: selectCompleteRows(values, columns, given, missing, start) };
      start += total;
    }
  } finally {
    // Also after an error, because a change of the file may be its cause.
    await table.checkUnchanged();
  }
}

/**
 * Returns 1 for each row with a missing value, undefined if there is none. Throws `DATA` for infinite values. `start` is the number of
 * the first row.
 */
function findMissingRows(
  table: Table,
  names: readonly string[],
  values: Float64Array,
  start: number,
): Uint8Array | undefined {
  let missing: Uint8Array | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) continue;
    const row = Math.floor(i / names.length);
    if (!Number.isNaN(value)) throw infiniteValueError(table, names[i % names.length]!, start + row, value);
    missing ??= new Uint8Array(values.length / names.length);
    missing[row] = 1;
  }
  return missing;
}

/** The rows without a missing value. The last numbers of a row, those of the columns `given`, are its context. */
function selectCompleteRows(
  values: Float64Array,
  columns: readonly string[],
  given: readonly string[],
  missing: Uint8Array | undefined,
  start: number,
): InMemoryDataset {
  const [features, contextFeatures] = [columns.length, given.length];
  const width = features + contextFeatures;
  const total = values.length / width;
  const rows = missing ? missing.reduce((count, isMissing) => count - isMissing, total) : total;
  const rowNumbers = new Int32Array(rows);
  const isComplete = rows === total && contextFeatures === 0;
  const featureValues = isComplete ? values : new Float64Array(rows * features);
  const context = new Float64Array(rows * contextFeatures);
  for (let row = 0, kept = 0; row < total; row++) {
    if (missing?.[row]) continue;
    rowNumbers[kept] = start + row;
    if (!isComplete) {
      const first = row * width;
      featureValues.set(values.subarray(first, first + features), kept * features);
      context.set(values.subarray(first + features, first + width), kept * contextFeatures);
    }
    kept++;
  }
  const names = { columns, contextColumns: given };
  return new InMemoryDataset({ features, values: featureValues, context, rowNumbers, ...names });
}

/**
 * Checks that there are enough rows to fit a model. `missing` is the number of rows with a missing value in one of the columns that must have
 * none: those of the option `option`.
 *
 * @throws DATA if there are fewer than two.
 */
export function checkMinimumRows(
  { rows, missing }: { readonly rows: number; readonly missing: number },
  source: string,
  option = "--columns",
): void {
  if (rows >= 2) return;
  const explanation =
    missing > 0 ? ` (${missing} more ${missing === 1 ? "has" : "have"} a missing value)` : "";
  throw new PushforwardError("DATA", `${source} has too few rows to fit`, {
    expected: missing > 0 ? "at least 2 complete rows" : "at least 2 rows",
    received: `${rows}${explanation}`,
    hint:
      missing > 0
        ? `Fill in missing values, or choose columns without missing values: ${option} a,b`
        : "Give a table with more rows.",
  });
}
