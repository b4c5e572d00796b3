export type { Batch, Batches } from "./batches.ts";
export type { Columns, Constants } from "./constantColumns.ts";
export type { BatchOptions, Split } from "./dataset.ts";
export { InMemoryDataset } from "./inMemoryDataset.ts";
export * from "./mainExports.ts";
export type { RowForms } from "./rowsInput.ts";
export { StreamedDataset, type StreamOptions } from "./streamedDataset.ts";
