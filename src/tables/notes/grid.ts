import { centralRange, filterValues, mostFrequent, type ValueCounts } from "../../dataset/index.ts";

/** The fraction of the rows that must be on a grid. A few values may be between, such as halves among integers. */
const MIN_SHARE_ON_GRID = 0.95;
/** All decimal numbers are on some grid. A grid with more steps than this looks continuous. */
const MAX_STEPS = 500;

/**
 * The step of the coarsest grid that contains nearly all rows of a column with at least two values; undefined if there is no
 * grid. Rows with the most frequent value do not count, because they say nothing about the other rows.
 */
export function gridStep(counted: ValueCounts): number | undefined {
  if (counted.values.length > 20 * MAX_STEPS) return undefined;
  const { value: mode } = mostFrequent(counted);
  const withoutMode = filterValues(counted, (value) => value !== mode);
  const order = withoutMode.values
    .map((_, i) => i)
    .sort((a, b) => withoutMode.counts[b] - withoutMode.counts[a]);
  const frequent = [mode];
  for (let i = 0, rows = 0; rows < MIN_SHARE_ON_GRID * withoutMode.rows; i++) {
    frequent.push(withoutMode.values[order[i]]);
    rows += withoutMode.counts[order[i]];
  }
  frequent.sort((a, b) => a - b);
  const [first, last] = [frequent[0], frequent[frequent.length - 1]];
  const width = centralRange(withoutMode) || frequent[1] - first;
  const minStep = width / MAX_STEPS;
  let step = 0;
  for (let i = 1; i < frequent.length; i++) {
    step = commonDivisor(frequent[i] - frequent[i - 1], step, minStep / 100);
    if (step < minStep) return undefined;
  }
  // The whole range gives the step more accurately than single differences, which are rounded.
  const rounded = Number(((last - first) / Math.round((last - first) / step)).toPrecision(6));
  return Number.isFinite(rounded) ? rounded : undefined;
}

/** Euclid's algorithm for real numbers: a remainder below the tolerance counts as 0. */
function commonDivisor(a: number, b: number, tolerance: number): number {
  while (b > tolerance) [a, b] = [b, Math.abs(a - Math.round(a / b) * b)];
  return a;
}

/** `resolution` tries units from 10^12 to 10^-12. */
const MAX_DIGITS = 12;

/**
 * The unit of the last decimal digit of the values of a column: the largest power of ten of which all values are multiples. If
 * there is none, the spacing of floating point numbers at the largest value (float32 if all values are float32 numbers).
 */
export function resolution(values: ArrayLike<number>): number {
  let largest = 0;
  let isFloat32 = true;
  for (let i = 0; i < values.length; i++) {
    largest = Math.max(largest, Math.abs(values[i]));
    isFloat32 &&= Math.fround(values[i]) === values[i];
  }
  for (let digits = -MAX_DIGITS; digits <= MAX_DIGITS; digits++) {
    const unitsPerOne = 10 ** digits;
    // Above 2^50 units, every float64 number is close to a multiple.
    if (largest * unitsPerOne > 2 ** 50) break;
    if (areMultiples(values, unitsPerOne)) return 1 / unitsPerOne;
  }
  return largest * 2 ** (isFloat32 ? -23 : -52);
}

/** Whether each value is a multiple of 1 / unitsPerOne up to rounding. */
function areMultiples(values: ArrayLike<number>, unitsPerOne: number): boolean {
  for (let i = 0; i < values.length; i++) {
    const scaled = values[i] * unitsPerOne;
    if (Math.abs(scaled - Math.round(scaled)) > 4 * Number.EPSILON * Math.abs(scaled)) return false;
  }
  return true;
}
