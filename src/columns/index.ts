export { type ColumnFindings, type ColumnNote, columnNotes, type NotedColumns } from "./columnNotes.ts";
export { type ColumnSummary, columnSummary } from "./columnSummary.ts";
export type { ColumnValues } from "./columnValues.ts";
export type { FarValues } from "./farValues.ts";
export type { MissingCode } from "./missingCodes.ts";
export { valuesRepeat } from "./repetition.ts";
