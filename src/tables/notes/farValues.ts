import { filterValues, quantile, type ValueCounts } from "../../dataset/index.ts";

/** Values that are more interquartile ranges than this away from the median are far values, even if the distribution has heavy tails. */
const MAX_IQRS_FROM_MEDIAN = 1e4;

/** Values of a column that are far below or far above all other values. */
export interface FarValues {
  /** The value with the largest distance from the median. */
  readonly value: number;
  /** The number of rows with far values. */
  readonly rows: number;
  /** The largest of the values far below; undefined if there are none. */
  readonly below: number | undefined;
  /** The smallest of the values far above; undefined if there are none. */
  readonly above: number | undefined;
}

/**
 * The values of a column that are more than 10,000 interquartile ranges away from the median. If half of the rows have the same
 * value, the interquartile range and the median are computed from the other rows.
 */
export function findFarValues(counted: ValueCounts): FarValues | undefined {
  const interquartileRange = (rows: ValueCounts) => quantile(rows, 0.75) - quantile(rows, 0.25);
  let typical = counted;
  // If the interquartile range is 0, half of the rows have one value. Each iteration removes this value.
  while (interquartileRange(typical) === 0 && typical.values.length > 1) {
    const middle = quantile(typical, 0.5);
    typical = filterValues(typical, (value) => value !== middle);
  }
  const maxDistance = MAX_IQRS_FROM_MEDIAN * interquartileRange(typical);
  if (!(maxDistance > 0)) return undefined;
  const median = quantile(typical, 0.5);
  const { values, rows } = filterValues(counted, (value) => Math.abs(value - median) > maxDistance);
  if (values.length === 0) return undefined;
  const [first, last] = [values[0], values[values.length - 1]];
  return {
    value: Math.abs(first - median) > Math.abs(last - median) ? first : last,
    rows,
    below: values.findLast((value) => value < median),
    above: values.find((value) => value > median),
  };
}
