import type { ValueType } from "../columns/index.ts";
import { type TextContent, textTypes } from "./columnTypes.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { textExpression, valueTypeOf } from "./valueExpressions.ts";

/**
 * What all values of columns of text represent, in the order of `columns`. It is undefined for columns that are not text, and for those of a text
 * file, whose types were determined when it was opened.
 */
export async function contentsOfText(
  table: Table,
  columns: readonly Column[],
): Promise<(TextContent | undefined)[]> {
  const texts = table.relation.text === undefined ? columns.filter((c) => valueTypeOf(c) === "text") : [];
  if (texts.length === 0) return columns.map(() => undefined);
  const { contents } = await textTypes(
    table.database,
    texts.map((column) => textExpression(table, column)),
    table.relation.sql,
  );
  return columns.map((column) => contents[texts.indexOf(column)]);
}

/** The column with the order of day and month in its dates, if it is text that does not begin with the year. */
export const withDateOrder = (column: Column, content: TextContent | undefined): Column =>
  content?.dateOrder ? { ...column, dateOrder: content.dateOrder } : column;

/** The column with the order of day and month in its text, if its values are read as dates. */
export async function withDates(table: Table, column: Column, type: ValueType): Promise<Column> {
  if (type !== "date" && type !== "timestamp") return column;
  const [content] = await contentsOfText(table, [column]);
  return withDateOrder(column, content);
}
