import { type TableColumn, typedText } from "../columns/index.ts";
import type { Table } from "./table.ts";
import { textExpression } from "./valueExpressions.ts";

/**
 * The value of a column as text, in the row with the number `row`, counted from 1. `value` is its encoding as a number. Labels and values of
 * constant columns are read from the table, because all those that the model did not learn have the same number.
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
  const [[found]] = (await table.database.run(query)) as [[string]];
  return found;
}
