/** What both `pushforward` and `pushforward/dataset` export. */
export type { Dataset } from "./dataset.ts";
export { type DatasetOptions, dataset } from "./inMemoryDataset.ts";
export type { RowsInput } from "./rowsInput.ts";
export type { RowBlock, RowStream } from "./streamedDataset.ts";
