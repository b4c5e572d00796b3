import { filterValues, quantile, type ValueCounts } from "./columnValues.ts";

/** Values that are more interquartile ranges than this from the median are far, even where tails are heavy. */
const MAX_IQRS_FROM_MEDIAN = 1e4;

/** Values below or above all others of a column, far from them. */
export interface FarValues {
  /** The one that is farthest from the median. */
  readonly value: number;
  readonly rows: number;
  /** The largest of those that lie far below, and the least of those far above. */
  readonly below: number | undefined;
  readonly above: number | undefined;
}

/**
 * The values of a column that are more than 10,000 interquartile ranges from the median. Where half of the rows have one
 * value, both are of the other rows.
 */
export function farValues(counted: ValueCounts): FarValues | undefined {
  const width = (rows: ValueCounts) => quantile(rows, 0.75) - quantile(rows, 0.25);
  let typical = counted;
  // A width of 0 means that half of the rows have one value: each iteration removes this value.
  while (width(typical) === 0 && typical.values.length > 1) {
    const middle = quantile(typical, 0.5);
    typical = filterValues(typical, (value) => value !== middle);
  }
  const reach = MAX_IQRS_FROM_MEDIAN * width(typical);
  if (!(reach > 0)) return undefined;
  const middle = quantile(typical, 0.5);
  const { values, rows } = filterValues(counted, (value) => Math.abs(value - middle) > reach);
  if (values.length === 0) return undefined;
  const [first, last] = [values[0], values[values.length - 1]];
  return {
    value: Math.abs(first - middle) > Math.abs(last - middle) ? first : last,
    rows,
    below: values.findLast((value) => value < middle),
    above: values.find((value) => value > middle),
  };
}
