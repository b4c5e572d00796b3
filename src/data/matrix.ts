import { PushforwardError } from "../errors.ts";
import { readAhead } from "../readAhead.ts";
import { identifier } from "./database.ts";
import type { Table } from "./table.ts";

/** Complete rows of a table in memory. */
export interface Matrix {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Row-major, `[rows, columns]`. */
  readonly values: Float64Array;
  /** How many rows were left out because a value was missing (NULL or NaN). */
  readonly missing: number;
}

/** Consecutive rows of a table. */
export interface MatrixChunk {
  readonly rows: number;
  /** Row-major, `[rows, columns]`; 0 throughout a row with a missing value. */
  readonly values: Float64Array;
  /** `[rows]`: 1 where every value of the row is there, 0 where one is missing (NULL or NaN). */
  readonly present: Uint8Array;
}

/** Rows of so many columns to work on at a time: enough for many threads to share, and no more numbers than 8 MB hold. */
export const rowsAtATime = (width: number): number => Math.min(32_768, Math.ceil(2 ** 20 / width));

/**
 * Streams the columns `names` in the order of the table, `chunkRows` rows at a time (the last chunk may be shorter). The
 * next chunk is read while one is in use.
 *
 * Any number of scans may run at the same time. Memory does not grow with the table.
 *
 * @throws FILE when the file has changed since the table was opened; DATA when a value is infinite, with its column and
 *   row (rows are counted from 1, without the header).
 */
export function scanMatrix(
  table: Table,
  names: readonly string[],
  { chunkRows = rowsAtATime(names.length) }: { chunkRows?: number } = {},
): AsyncGenerator<MatrixChunk> {
  return readAhead(chunks(table, names, chunkRows));
}

async function* chunks(table: Table, names: readonly string[], rows: number): AsyncGenerator<MatrixChunk> {
  let before = 0;
  try {
    for await (const values of table.database.stream(names.map(identifier), table.relation.sql, rows)) {
      yield checked(table, names, values, before);
      before += rows;
    }
  } finally {
    // Also after an error, which a change of the file may explain.
    await table.checkUnchanged();
  }
}

/** Refuses infinite values, and marks and clears the rows in which one is missing; `before` counts the rows before these. */
function checked(table: Table, names: readonly string[], values: Float64Array, before: number): MatrixChunk {
  const width = names.length;
  const rows = values.length / width;
  const present = new Uint8Array(rows).fill(1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) continue;
    const row = Math.floor(i / width);
    if (!Number.isNaN(value)) throw infinite(table, names[i % width]!, before + row + 1, value);
    present[row] = 0;
  }
  for (let row = 0; row < rows; row++) {
    if (!present[row]) values.fill(0, row * width, (row + 1) * width);
  }
  return { rows, values, present };
}

/** The rows of a chunk without a missing value; they take the place of the chunk's values. */
export function completeRows({ rows, values, present }: MatrixChunk): Float64Array {
  const width = values.length / rows;
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    if (present[row]) values.copyWithin(width * kept++, width * row, width * (row + 1));
  }
  return kept === rows ? values : values.slice(0, width * kept);
}

/**
 * Reads the columns `names` of all rows without a missing value.
 *
 * @throws DATA when a value is infinite, with its column and row.
 */
export async function readMatrix(table: Table, names: readonly string[]): Promise<Matrix> {
  const width = names.length;
  const parts: Float64Array[] = [];
  let rows = 0;
  let missing = 0;
  for await (const chunk of scanMatrix(table, names)) {
    const part = completeRows(chunk);
    parts.push(part);
    rows += part.length / width;
    missing += chunk.rows - part.length / width;
  }
  const values = new Float64Array(rows * width);
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return { columns: [...names], rows, values, missing };
}

/**
 * Refuses a matrix of too few rows to learn from.
 *
 * @throws DATA when there are fewer than two.
 */
export function checkForFitting({ rows, missing }: Pick<Matrix, "rows" | "missing">, source: string): void {
  if (rows >= 2) return;
  const left = missing > 0 ? ` (${missing} more ${missing === 1 ? "has" : "have"} a missing value)` : "";
  throw new PushforwardError("DATA", `${source} has too few rows to fit`, {
    expected: "at least 2 complete rows",
    received: `${rows}${left}`,
    mend:
      missing > 0
        ? "Fill in missing values, or choose columns without any: --columns a,b"
        : "Give a table with more rows.",
  });
}

function infinite(table: Table, column: string, row: number, value: number): PushforwardError {
  return new PushforwardError("DATA", `The column "${column}" of ${table.source} is infinite in row ${row}`, {
    expected: "finite numbers",
    received: String(value),
    mend: "Correct the value, or leave it empty to have it counted as missing.",
  });
}
