import { recordsOf } from "./records.ts";

/** The numeric columns of a table. */
export interface NumberTable {
  readonly names: readonly string[];
  /** One array per column. */
  readonly columns: readonly (readonly number[])[];
  /** The number of lines that were left out, because they have no number in one of these columns. */
  readonly skipped: number;
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
  if (!example) throw new Error("The text has no two columns of numbers. Paste lines such as 1.5, 2.25.");
  const indices = [...example.keys()].filter((i) => Number.isFinite(numberOf(example[i])));
  const kept = records.filter((record) => indices.every((i) => Number.isFinite(numberOf(record[i]))));
  return {
    names: indices.map((i) => (hasNames && first[i]) || `column ${i + 1}`),
    columns: indices.map((i) => kept.map((record) => numberOf(record[i]))),
    skipped: records.length - kept.length,
  };
}

/** The page trains on at most this many rows, evenly spaced in the table. */
export const MAX_TABLE_ROWS = 20_000;

/** Two columns as points x0, y0, x1, y1, ..., at most `MAX_TABLE_ROWS` of them. */
export function pointsOf(x: readonly number[], y: readonly number[]): number[] {
  const stride = Math.max(1, x.length / MAX_TABLE_ROWS);
  const count = Math.min(x.length, MAX_TABLE_ROWS);
  return Array.from({ length: count }, (_, i) => Math.floor(i * stride)).flatMap((row) => [x[row]!, y[row]!]);
}
