/** `pushforward/dataset`: rows of numbers, in memory or streamed. */

export {
  type Batch,
  type Batches,
  type BatchOptions,
  type Columns,
  type Constants,
  type Dataset,
  type DatasetOptions,
  dataset,
  InMemoryDataset,
  type RowBlock,
  type RowForms,
  type RowStream,
  type RowsInput,
  type Split,
  StreamedDataset,
  type StreamOptions,
} from "../dataset/index.ts";
