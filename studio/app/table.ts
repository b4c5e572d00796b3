/** A table of numbers: the columns that have a number in every row that is kept. */
export interface NumberTable {
  readonly names: readonly string[];
  /** One array per column. */
  readonly columns: readonly (readonly number[])[];
  /** Lines that were left out, because they do not have a number where the first rows have one. */
  readonly skipped: number;
}

const SEPARATORS = [";", "\t", ","];

/** Reads text of separated values, with or without a line of names. Throws if it does not have two columns of numbers. */
export function parseTable(text: string): NumberTable {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const separator = SEPARATORS.find((each) => lines[0]?.includes(each));
  const cells = lines.map((line) =>
    (separator ? line.split(separator) : line.trim().split(/\s+/)).map((cell) =>
      cell.trim().replace(/^"(.*)"$/, "$1"),
    ),
  );
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

/** Two columns as points, x and y in turn. */
export function pointsOf(x: readonly number[], y: readonly number[]): number[] {
  const stride = Math.max(1, x.length / MAX_TABLE_ROWS);
  const count = Math.min(x.length, MAX_TABLE_ROWS);
  return Array.from({ length: count }, (_, i) => Math.floor(i * stride)).flatMap((row) => [x[row]!, y[row]!]);
}
