import type { TableColumn } from "../tables/tableColumn.ts";
import { typedText } from "../tables/typedText.ts";
import type { Table } from "./table.ts";
import { textExpression } from "./valueExpressions.ts";

/**
 * The value of a column in a row of a table, counted from 1, as text. `value` is its number; a label that the model did not learn and
 * the value of a constant have no number of their own, so these are read from the table.
 */
export async function valueText(
  table: Table,
  { name, type, kind }: TableColumn,
  value: number,
  row: number,
): Promise<string> {
  if (type !== "text" && kind !== "constant") return typedText(type, value);
  const text = textExpression(table, table.columns.find((column) => column.name === name)!);
  const query = `SELECT ${text} FROM ${table.relation.sql} LIMIT 1 OFFSET ${row - 1}`;
  const [[found]] = (await table.database.rows(query)) as [[string]];
  return found;
}
