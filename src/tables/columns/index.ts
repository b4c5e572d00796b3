/** Kinds of columns, and their values as features of a model. */

export { booleanLabel, withBooleanLabels } from "./booleanColumn.ts";
export { checkLearned } from "./checkLearned.ts";
export { tableHeads } from "./columnHeads.ts";
export {
  type ColumnOptions,
  checkColumnOptions,
  columnOptionsOf,
  columnOptionsSchema,
} from "./columnOptions.ts";
export { decodeTensors, encodeTensors, MISSING_TEXT } from "./columnTensors.ts";
export { decodeTable } from "./decodeTable.ts";
export { describeColumn, optionsOfColumn } from "./describeColumn.ts";
export { distinctFeatureNames } from "./distinctFeatureNames.ts";
export {
  continuousValue,
  decodeRows,
  encodeColumn,
  encodeRows,
  labelCodes,
  nearestCells,
  positionsInColumn,
} from "./encode.ts";
export { checkNames, type EncodedTable, encodeTable } from "./encodeTable.ts";
export { type InferredColumn, inferColumn, MAX_LABELS, textExclusion } from "./inferColumn.ts";
export { hasLargeIntegers, inferRawColumn, isLearnedAsText, type LargeIntegers } from "./largeIntegers.ts";
export { withLinearScale } from "./linearScale.ts";
export { MAX_INTEGER } from "./numericColumn.ts";
export { possibleFeatures } from "./possibleFeatures.ts";
export { realColumn } from "./realColumn.ts";
export { tableFeatures, tableSchema } from "./storedTable.ts";
export {
  featureCardinalities,
  featureNames,
  featuresOf,
  hasProbabilities,
  learnedColumns,
  type RawColumn,
  type TableColumn,
  type ValueType,
  withJsonValues,
} from "./tableColumn.ts";
export {
  dateText,
  millisecondsOf,
  type ReturnedRow,
  rawColumns,
  rowObjects,
  type TableInput,
  type TableRow,
  type TableValue,
  tableValue,
  textType,
} from "./tableRows.ts";
export { DATE_LIKE } from "./textDates.ts";
export { typedText } from "./typedText.ts";
export { ROW_STATUS, UnlearnedCounts, type UnlearnedValues } from "./unlearned.ts";
export {
  isNumericText,
  NUMBER_WITH_UNIT,
  type TextCounts,
  THOUSANDS,
  textRemarks,
  valueRemarks,
  WITH_DECIMAL_COMMA,
} from "./valueRemarks.ts";
