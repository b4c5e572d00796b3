import { NO_CELL } from "./encode.ts";
import { featureCardinalities, type TableColumn } from "./tableColumn.ts";

/** Features [rows, D] of `encodeColumn` with NaN in place of those of probability 0, given which no distribution is defined. */
export function possibleFeatures(columns: readonly TableColumn[], values: Float64Array): Float64Array {
  const isPossible = columns.flatMap(possibleIn);
  return values.map((value, i) => (isPossible[i % isPossible.length]!(value) ? value : Number.NaN));
}

/** For each feature of a column, whether its value can occur. Labels that training did not see have a small probability. */
function possibleIn(column: TableColumn): ((value: number) => boolean)[] {
  if (column.kind === "categorical")
    return [column.isBoolean ? (value) => value < column.labels.length : () => true];
  if (column.kind !== "continuous")
    return featureCardinalities(column).map(() => (value) => value !== NO_CELL);
  const { center, cut, period, codes = [] } = column;
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = column;
  const isCode = new Set(codes.map((code) => code - center));
  // The values of a circle begin at its cut.
  const [first, last] = cut === undefined ? [low, high] : [cut, cut + period!];
  return [(value) => (value >= first - center && value <= last - center) || isCode.has(value)];
}
