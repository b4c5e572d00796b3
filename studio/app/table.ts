import { evenlySpaced } from "./evenlySpaced.ts";
import { recordsOf } from "./records.ts";

/** Two columns of a table as points. */
export interface TablePoints {
  /** x0, y0, x1, y1, ..., at most `MAX_TABLE_ROWS` points. */
  readonly values: readonly number[];
  /** The number of rows with a number in both columns. */
  readonly rows: number;
  /** The number of rows that were left out, because they have no number in one of the columns. */
  readonly skipped: number;
}

/** The columns of numbers of a table. */
export interface NumberTable {
  readonly names: readonly string[];
  /** The points of two columns, given by their indices. */
  points(x: number, y: number): TablePoints | Promise<TablePoints>;
}

/**
 * Reads values separated by semicolons, tabs, commas or spaces, with or without a line of names. The first line with two numbers
 * determines which columns are numeric. Throws if there is none.
 */
export function parseTable(text: string): NumberTable {
  const cells = recordsOf(text);
  const numberOf = (cell: string | undefined) => (cell ? Number(cell) : Number.NaN);
  const [first = []] = cells;
  const hasNames = first.every((cell) => !Number.isFinite(numberOf(cell)));
  const records = hasNames ? cells.slice(1) : cells;
  const example = records.find(
    (record) => record.filter((cell) => Number.isFinite(numberOf(cell))).length >= 2,
  );
  if (!example) throw new Error("The table needs two columns of numbers, for example the line 1.5, 2.25.");
  const indices = [...example.keys()].filter((i) => Number.isFinite(numberOf(example[i])));
  const columns = indices.map((i) => records.map((record) => numberOf(record[i])));
  return {
    names: indices.map((i) => (hasNames && first[i]) || `column ${i + 1}`),
    points: (x, y) => pointsOf(columns[x]!, columns[y]!),
  };
}

/** The page trains on at most this many rows, evenly spaced in the table. */
export const MAX_TABLE_ROWS = 20_000;

/** Two columns as points. NaN stands for a value that is not a number. */
export function pointsOf(x: ArrayLike<number>, y: ArrayLike<number>): TablePoints {
  const rows = Array.from(x, (_, row) => row).filter((row) => Number.isFinite(x[row]! + y[row]!));
  const used = evenlySpaced(rows.length, MAX_TABLE_ROWS).map((i) => rows[i]!);
  return {
    values: used.flatMap((row) => [x[row]!, y[row]!]),
    rows: rows.length,
    skipped: x.length - rows.length,
  };
}
