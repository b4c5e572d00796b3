/** Summaries of columns of numbers, and notes about them. */

export type { ColumnFindings, ColumnNote } from "./columnFindings.ts";
export { type ColumnNoteOptions, columnNotes, notesOn } from "./columnNotes.ts";
export { type ColumnSummary, columnSummary } from "./columnSummary.ts";
export type { FarValues } from "./farValues.ts";
export { findMissingCodes, type MissingCode } from "./missingCodes.ts";
export { valuesRepeat } from "./repetition.ts";
