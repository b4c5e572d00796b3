export type { ColumnFindings } from "./columnFindings.ts";
export type { ColumnNoteOptions } from "./columnNotes.ts";
export { type ColumnSummary, columnSummary } from "./columnSummary.ts";
export type { ColumnValues } from "../../dataset/columnValues.ts";
export type { FarValues } from "./farValues.ts";
export * from "./mainExports.ts";
export type { MissingCode } from "./missingCodes.ts";
