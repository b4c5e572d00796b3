export { writeFileAtomically } from "./atomicFile.ts";
export { type ColumnSummary, columnSummary } from "./columnSummary.ts";
export type { Chunks } from "./database.ts";
export { type Format, outputFormat } from "./format.ts";
export { checkForFitting, type Matrix, type MatrixChunk, readMatrix, scanMatrix } from "./matrix.ts";
export { type Column, openTable, type Table } from "./table.ts";
export { writeRows } from "./writeRows.ts";
export { LOG_DENSITY, writeScored } from "./writeScored.ts";
