export type { Batch, Batches } from "./batches.ts";
export type { Columns, Constants } from "./constantColumns.ts";
export type { BatchOptions, Dataset, Split } from "./dataset.ts";
export { type DatasetOptions, dataset, InMemoryDataset } from "./inMemoryDataset.ts";
export type { RowForms, RowsInput } from "./rowsInput.ts";
export { type RowBlock, type RowStream, StreamedDataset, type StreamOptions } from "./streamedDataset.ts";
