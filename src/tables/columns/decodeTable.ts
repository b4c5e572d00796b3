import { decodeRows } from "./encode.ts";
import { featureNames, type TableColumn } from "./tableColumn.ts";
import { type TableRow, tableValue } from "./tableRows.ts";

/** The rows of a table from their features in row-major order. */
export function decodeTable(columns: readonly TableColumn[], features: ArrayLike<number>): TableRow[] {
  const values = decodeRows(columns, features);
  const rows = features.length / columns.flatMap(featureNames).length;
  return Array.from({ length: rows }, (_, n) =>
    Object.fromEntries(columns.map((column, c) => [column.name, tableValue(column, values[c][n])])),
  );
}
