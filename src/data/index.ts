export { type ColumnSummary, columnSummary } from "../columns/index.ts";
export type { Labels } from "./labels.ts";
export type { Column } from "./relation.ts";
export { openTable, type Table, type TableOptions } from "./table.ts";
export { type NamedRows, readRows, streamRows, type TableBlock, type TableRowsOptions } from "./tableRows.ts";
export { writeRows } from "./writeRows.ts";
export { writeScored } from "./writeScored.ts";
