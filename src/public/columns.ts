/** `pushforward/columns`: summaries of columns of numbers, and notes about them. */

export type { ColumnValues } from "../dataset/index.ts";
export {
  type ColumnFindings,
  type ColumnNote,
  type ColumnNoteOptions,
  type ColumnSummary,
  columnNotes,
  columnSummary,
  type FarValues,
  type MissingCode,
  valuesRepeat,
} from "../tables/notes/index.ts";
