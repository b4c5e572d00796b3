import { PushforwardError } from "../errors.ts";
import { columnList } from "./columnList.ts";
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

/**
 * Streams the columns `names` in the order of the table, `chunkRows` rows at a time (the last chunk may be shorter).
 *
 * Any number of scans may run at the same time. Memory does not grow with the table.
 *
 * @throws DATA when a value is infinite, with its column and row (rows are counted from 1, without the header).
 */
export async function* scanMatrix(
  table: Table,
  names: readonly string[],
  { chunkRows = 8192 }: { chunkRows?: number } = {},
): AsyncGenerator<MatrixChunk> {
  const width = names.length;
  const columns = names.map((name) => `CAST(${identifier(name)} AS DOUBLE)`).join(", ");
  let values = new Float64Array(chunkRows * width);
  let present = new Uint8Array(chunkRows);
  let filled = 0;
  let before = 0;

  for await (const block of table.database.stream(`SELECT ${columns} FROM ${table.relation.sql}`)) {
    for (let row = 0; row < block.rows; row++) {
      const start = filled * width;
      let complete = 1;
      for (let d = 0; d < width; d++) {
        const value = block.columns[d]!.getItem(row);
        if (value === null || Number.isNaN(value)) complete = 0;
        else if (Number.isFinite(value)) values[start + d] = value;
        else throw infinite(table, names[d]!, before + filled + 1, value);
      }
      if (!complete) values.fill(0, start, start + width);
      present[filled++] = complete;
      if (filled === chunkRows) {
        yield { rows: filled, values, present };
        values = new Float64Array(chunkRows * width);
        present = new Uint8Array(chunkRows);
        before += filled;
        filled = 0;
      }
    }
  }
  if (filled > 0) {
    yield { rows: filled, values: values.slice(0, filled * width), present: present.slice(0, filled) };
  }
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
    let kept = 0;
    for (let row = 0; row < chunk.rows; row++) {
      if (chunk.present[row]) chunk.values.copyWithin(width * kept++, width * row, width * (row + 1));
    }
    parts.push(kept === chunk.rows ? chunk.values : chunk.values.slice(0, width * kept));
    rows += kept;
    missing += chunk.rows - kept;
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
 * Refuses a matrix that has no density to learn.
 *
 * @throws DATA when there are fewer than two rows, or a column has the same value in all of them.
 */
export function checkForFitting(matrix: Matrix, source: string): void {
  const { columns, rows, values, missing } = matrix;
  if (rows < 2) {
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
  const constant = columns.findIndex((_, d) => {
    for (let i = d + columns.length; i < values.length; i += columns.length) {
      if (values[i] !== values[d]) return false;
    }
    return true;
  });
  if (constant === -1) return;
  const others = columns.filter((_, d) => d !== constant);
  throw new PushforwardError("DATA", `The column "${columns[constant]}" of ${source} is constant`, {
    expected: "at least two different values",
    received: `${values[constant]} in all ${rows} rows`,
    mend: others.length > 0 ? `Leave it out: --columns ${columnList(others)}` : "Give a column that varies.",
  });
}

function infinite(table: Table, column: string, row: number, value: number): PushforwardError {
  return new PushforwardError("DATA", `The column "${column}" of ${table.source} is infinite in row ${row}`, {
    expected: "finite numbers",
    received: String(value),
    mend: "Correct the value, or leave it empty to have it counted as missing.",
  });
}
