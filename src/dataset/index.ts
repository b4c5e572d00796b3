/** Rows of numbers, in memory or streamed; splits and batches. */

export type { Batch, Batches } from "./batches.ts";
export { checkColumns, type ExpectedColumns } from "./checkColumns.ts";
export { checkDistinctNames } from "./checkDistinctNames.ts";
export {
  type ColumnValues,
  centralRange,
  columnOf,
  countValues,
  filterValues,
  mostFrequent,
  quantile,
  rowMajor,
  type ValueCounts,
} from "./columnValues.ts";
export { concatDatasets } from "./concatDatasets.ts";
export { concatRows } from "./concatRows.ts";
export { type Columns, type Constants, sameConstants } from "./constantColumns.ts";
export { crossValidationSplits } from "./crossValidation.ts";
export type { BatchOptions, Dataset, Split } from "./dataset.ts";
export { equalRows, type RowValues } from "./equalRows.ts";
export { featureColumn } from "./featureColumn.ts";
export { fingerprint } from "./fingerprint.ts";
export {
  type DatasetOptions,
  dataset,
  InMemoryDataset,
  type RowArrays,
  storedRows,
  tooFewRows,
  totalWeight,
} from "./inMemoryDataset.ts";
export { isDataset } from "./isDataset.ts";
export { joinColumns } from "./joinColumns.ts";
export { range } from "./range.ts";
export { readAhead } from "./readAhead.ts";
export { type FlatRows, flatRows, type RowForms, type RowsInput, rowsAs } from "./rowsInput.ts";
export { emptyLike, type StoredValues, selectRows } from "./selectRows.ts";
export { type SplitWithTest, splitWithTest, testFractionOf } from "./splitWithTest.ts";
export {
  isStream,
  type RowBlock,
  type RowStream,
  StreamedDataset,
  type StreamOptions,
  type StreamSummary,
} from "./streamedDataset.ts";
export { withMeanWeightOne } from "./withMeanWeightOne.ts";
