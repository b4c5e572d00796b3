export type { Batch, Batches } from "./batches.ts";
export type { Columns, Constants } from "./constantColumns.ts";
export { counting } from "./counting.ts";
export type { BatchOptions, Dataset, Split } from "./dataset.ts";
export {
  type DatasetOptions,
  dataset,
  InMemoryDataset,
  tooFew,
  totalWeight,
} from "./inMemoryDataset.ts";
export { type FlatRows, flatRows, type RowForms, type RowsInput, rowsAs } from "./rowsInput.ts";
export {
  isStream,
  type RowBlock,
  type RowStream,
  StreamedDataset,
  type StreamOptions,
} from "./streamedDataset.ts";
