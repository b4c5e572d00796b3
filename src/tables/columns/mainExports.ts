/** What `pushforward` exports of this directory. */
export type { ColumnKind, ColumnOptions } from "./columnOptions.ts";
export type { TableColumn } from "./tableColumn.ts";
export type { ReturnedRow, TableInput, TableRow, TableValue } from "./tableRows.ts";
