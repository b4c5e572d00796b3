/** Names of columns, kinds and budgets, as options and messages state them; it imports little, because the command line reads it before everything else. */

export { BUDGETS, type Budget } from "./budgets.ts";
export {
  COLUMN_KINDS,
  type ColumnKind,
  isNumericKind,
  isTimeKind,
  KIND_SYNTAX,
  type NumericKind,
  type TimeKind,
} from "./columnKind.ts";
export { columnList, joinColumnList, parseColumnList, quotedIdentifier, quotedNames } from "./columnList.ts";
export { type CsvRecord, csvRecords, fieldNames, firstRecords, isEmptyRecord } from "./csvRecords.ts";
export { MAX_CELLS } from "./maxCells.ts";
