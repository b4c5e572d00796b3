import type { ColumnOptions } from "../../src/tables/columns/columnOptions.ts";
import type { RawColumn, TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { readColumns } from "../../src/tables/io/readColumns.ts";
import { infer } from "../tables/infer.ts";

/** The values of all columns of a table. */
export async function readAllColumns(source: string): Promise<readonly RawColumn[]> {
  const table = await openTable(source);
  const { columns } = await readColumns(
    table,
    table.columns.map(({ name }) => name),
  );
  await table.close();
  return columns;
}

/** The columns that are inferred from a table, where `options` do not state their kinds. */
export async function learnColumns(
  source: string,
  options: Readonly<Record<string, ColumnOptions>> = {},
): Promise<TableColumn[]> {
  return (await readAllColumns(source)).map((raw) => infer(raw, options[raw.name]));
}
