import type { TableColumn, TableRow, ValueType } from "../columns/index.ts";
import { withDates } from "./contentsOfText.ts";
import type { TypedColumn } from "./readColumns.ts";
import { objectsOf } from "./readObjects.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { valueTypeOf } from "./valueExpressions.ts";

/**
 * All rows of a table as objects with the columns of a model, as the methods of a `TableModel` take them. `scanFeatures`, which has the same
 * rows as features, must have accepted the table. The objects also have the values that the model did not learn.
 */
export async function rowsForModel(table: Table, columns: readonly TableColumn[]): Promise<TableRow[]> {
  const typed: TypedColumn[] = [];
  for (const learned of columns) {
    const column = table.columns.find(({ name }) => name === learned.name)!;
    const type = typeToRead(column, learned);
    typed.push({ column: await withDates(table, column, type), type });
  }
  return objectsOf(table, typed);
}

/** The type of a column in the model, to which all values can be converted, except for those of two kinds of columns. */
function typeToRead(column: Column, learned: TableColumn): ValueType {
  const own = valueTypeOf(column);
  // The labels of a boolean column may be words such as yes and no. `withBooleanLabels` converts booleans to them.
  if (learned.kind === "categorical" && learned.isBoolean && own === "boolean") return own;
  // A column without values in training has no type.
  if (learned.kind === "constant" && learned.value === null) return own ?? "text";
  return learned.type;
}
