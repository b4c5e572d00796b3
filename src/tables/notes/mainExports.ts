/** What both `pushforward` and `pushforward/columns` export. */
export type { ColumnNote } from "./columnFindings.ts";
export { columnNotes } from "./columnNotes.ts";
export { valuesRepeat } from "./repetition.ts";
