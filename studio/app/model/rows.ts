import type { TableRow } from "pushforward";
import { evenlySpaced } from "../evenlySpaced.ts";
import { recordsOf } from "../records.ts";
import type { ModelColumn, OpenedTable, Value } from "./messages.ts";

/**
 * The page uses at most this many rows of a table. In figures, more points would cover each other, and the time to find anomalies grows
 * with the number of rows.
 */
const MAX_ROWS = 5000;

/** Fields of a table that are read as missing values. */
const MISSING = new Set(["", "NA", "NaN", "null", "NULL"]);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/**
 * Reads the columns of a model from CSV with a line of names. `total` is the number of rows of the table; it is larger than that of the file
 * if the file has the `sampledRows` only. Throws if a column is missing.
 */
export function rowsOf(text: string, columns: readonly ModelColumn[], total?: number): OpenedTable {
  const [header = [], ...records] = recordsOf(
    text,
    columns.map(({ name }) => name),
  );
  checkColumns(header, columns);
  const used = columns.map((column) => [column, header.indexOf(column.name)] as const);
  const rows = sampledRows(records.length).map((row): TableRow => {
    const record = records[row]!;
    return Object.fromEntries(
      used.map(([column, at]) => [column.name, typedValue(record[at] ?? "", column)]),
    );
  });
  return { rows, total: total ?? records.length };
}

/** Throws if a table with columns of these names does not have those of a model. */
export function checkColumns(names: readonly string[], columns: readonly ModelColumn[]): void {
  const absent = columns.filter(({ name }) => !names.includes(name));
  if (absent.length > 0)
    throw new Error(
      `The table does not have the columns of the model. Missing: ${absent.map(({ name }) => name).join(", ")}.`,
    );
}

/** The indices of the rows of a table that the page uses. */
export const sampledRows = (total: number): number[] => evenlySpaced(total, MAX_ROWS);

/** The number, counted from 1, that a row of the sample has in its table. */
export const rowNumber = ({ total }: OpenedTable, row: number): number => sampledRows(total)[row]! + 1;

/** The value of a field of a column. */
export function typedValue(text: string, { kind, labels }: ModelColumn): Value {
  if (MISSING.has(text) && !labels.includes(text)) return null;
  const type = kind === "label" ? typeof labels[0] : kind === "number" ? "number" : "string";
  if (type === "boolean") return BOOLEANS.get(text.toLowerCase()) ?? null;
  if (type !== "number") return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}
