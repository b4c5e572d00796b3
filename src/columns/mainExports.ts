/** What both `pushforward` and `pushforward/columns` export. */
export { type ColumnNote, columnNotes } from "./columnNotes.ts";
export { valuesRepeat } from "./repetition.ts";
