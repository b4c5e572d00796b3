export { type ColumnSummary, columnSummary } from "../columns/index.ts";
export { nearestName } from "../nearestName.ts";
export { columnList, listed, parseColumnList, shellQuoted } from "./columnList.ts";
export { excludeColumns } from "./columnSelection.ts";
export type { Chunks } from "./database.ts";
export { lockOf, withFileLock } from "./fileLock.ts";
export { type Format, formatOf, outputFormat } from "./format.ts";
export { checkLabels, type Labels, labelsIn, listOf, meant, withLabels } from "./labels.ts";
export { nameInQuery, quotedQuery } from "./query.ts";
export type { Column } from "./relation.ts";
export { openTable, type Table, type TableOptions } from "./table.ts";
export {
  checkForFitting,
  type NamedRows,
  readRows,
  rowsAtATime,
  scanRows,
  streamRows,
  type TableBlock,
  type TableRowsOptions,
} from "./tableRows.ts";
export { writeRows } from "./writeRows.ts";
export { LOG_DENSITY, writeScored } from "./writeScored.ts";
