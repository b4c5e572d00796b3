import { InMemoryDataset, type RowStream } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { readAhead } from "../readAhead.ts";
import { quotedIdentifier } from "./database.ts";
import type { Table } from "./table.ts";

/** Consecutive rows of a table. */
export interface TableBlock {
  /** The number of the first row in the table, counted from 1. */
  readonly start: number;
  /** How many rows there are, those with a missing value included. */
  readonly total: number;
  /** The rows without a missing value (NULL or NaN), with their numbers in the table. */
  readonly complete: InMemoryDataset;
}

/** Rows whose features have names. */
export type NamedRows = InMemoryDataset & { readonly columns: readonly string[] };

/** Options of `readRows` and `streamRows`. */
export interface TableRowsOptions {
  /** Columns that become the context of each row. */
  readonly given?: readonly string[];
}

/** The number of rows of `width` columns to work on at a time: enough for many threads to share, and no more numbers than 8 MB hold. */
export const rowsAtATime = (width: number): number => Math.min(32_768, Math.ceil(2 ** 20 / width));

/**
 * Reads the columns `columns`, and `given` as the context, of all rows without a missing value. Rows have their numbers in the
 * table, counted from 1 without the header.
 *
 * @throws FILE when the file has changed since the table was opened; DATA when a value is infinite, with its column and row.
 */
export async function readRows(
  table: Table,
  columns: readonly string[],
  options: TableRowsOptions = {},
): Promise<NamedRows> {
  const { given = [] } = options;
  const [features, contextFeatures] = [columns.length, given.length];
  const values = new Float64Array(table.rows * features);
  const context = new Float64Array(table.rows * contextFeatures);
  const rowNumbers = new Int32Array(table.rows);
  let rows = 0;
  for await (const { complete } of scanRows(table, columns, options)) {
    // More rows than when the table was opened: the end of the scan tells that the file has changed.
    if (rows + complete.rows > table.rows) break;
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

/** The rows that `readRows` reads, as a stream. Memory does not grow with the table. */
export const streamRows = (
  table: Table,
  columns: readonly string[],
  options: TableRowsOptions = {},
): RowStream =>
  async function* rows() {
    let complete = 0;
    for await (const block of scanRows(table, columns, options)) {
      complete += block.complete.rows;
      yield block.complete;
    }
    checkForFitting({ rows: complete, missing: table.rows - complete }, table.source);
  };

/**
 * Streams the columns `columns`, and `given` as the context, in the order of the table, `blockRows` rows at a time (the last
 * block may be shorter). The next block is read while one is in use.
 *
 * Any number of scans may run at the same time. Memory does not grow with the table.
 *
 * @throws what `readRows` throws.
 */
export function scanRows(
  table: Table,
  columns: readonly string[],
  {
    given = [],
    blockRows = rowsAtATime(columns.length + given.length),
  }: TableRowsOptions & { readonly blockRows?: number } = {},
): AsyncGenerator<TableBlock> {
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
      const missing = missingRows(table, names, values, start);
      const total = values.length / names.length;
      yield { start, total, complete: completeRows(values, columns, given, missing, start) };
      start += total;
    }
  } finally {
    // Also after an error, which a change of the file may explain.
    await table.checkUnchanged();
  }
}

/** For each row 1 where a value is missing. Refuses infinite values; `start` is the number of the first row. */
function missingRows(
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
    if (!Number.isNaN(value)) throw infinite(table, names[i % names.length]!, start + row, value);
    missing ??= new Uint8Array(values.length / names.length);
    missing[row] = 1;
  }
  return missing;
}

/** The rows that are not `missing`; their last numbers, of the columns `given`, are the context. */
function completeRows(
  values: Float64Array,
  columns: readonly string[],
  given: readonly string[],
  missing: Uint8Array | undefined,
  start: number,
): InMemoryDataset {
  const [features, contextFeatures] = [columns.length, given.length];
  const width = features + contextFeatures;
  const total = values.length / width;
  const rows = missing ? missing.reduce((left, one) => left - one, total) : total;
  const rowNumbers = new Int32Array(rows);
  const whole = rows === total && contextFeatures === 0;
  const own = whole ? values : new Float64Array(rows * features);
  const context = new Float64Array(rows * contextFeatures);
  for (let row = 0, kept = 0; row < total; row++) {
    if (missing?.[row]) continue;
    rowNumbers[kept] = start + row;
    if (!whole) {
      const first = row * width;
      own.set(values.subarray(first, first + features), kept * features);
      context.set(values.subarray(first + features, first + width), kept * contextFeatures);
    }
    kept++;
  }
  const names = { columns, contextColumns: given };
  return new InMemoryDataset({ features, values: own, context, rowNumbers, ...names });
}

/**
 * Refuses too few rows to learn from.
 *
 * @throws DATA when there are fewer than two.
 */
export function checkForFitting(
  { rows, missing }: { readonly rows: number; readonly missing: number },
  source: string,
): void {
  if (rows >= 2) return;
  const left = missing > 0 ? ` (${missing} more ${missing === 1 ? "has" : "have"} a missing value)` : "";
  throw new PushforwardError("DATA", `${source} has too few rows to fit`, {
    expected: "at least 2 complete rows",
    received: `${rows}${left}`,
    hint:
      missing > 0
        ? "Fill in missing values, or choose columns without any: --columns a,b"
        : "Give a table with more rows.",
  });
}

function infinite(table: Table, column: string, row: number, value: number): PushforwardError {
  return new PushforwardError("DATA", `The column "${column}" of ${table.source} is infinite in row ${row}`, {
    expected: "finite numbers",
    received: String(value),
    hint: "Correct the value, or leave it empty to have it counted as missing.",
  });
}
