import { filterValues, mostFrequent, type ValueCounts, widthOf } from "./columnValues.ts";

/** The share of the rows that must lie on a grid; a few values may lie between, such as halves among integers. */
const MIN_SHARE_ON_GRID = 0.95;
/** All values with finitely many digits lie on some grid. One with more steps than this looks continuous. */
const MAX_STEPS = 500;

/**
 * The step of the widest grid that holds nearly all rows of a column of two values or more, if there is one. The rows of the
 * most frequent value do not count: they say nothing about the others.
 */
export function gridStep(counted: ValueCounts): number | undefined {
  if (counted.values.length > 20 * MAX_STEPS) return undefined;
  const { value: mode } = mostFrequent(counted);
  const others = filterValues(counted, (value) => value !== mode);
  const order = others.values.map((_, i) => i).sort((a, b) => others.counts[b] - others.counts[a]);
  const frequent = [mode];
  for (let i = 0, held = 0; held < MIN_SHARE_ON_GRID * others.rows; i++) {
    frequent.push(others.values[order[i]]);
    held += others.counts[order[i]];
  }
  frequent.sort((a, b) => a - b);
  const [first, last] = [frequent[0], frequent[frequent.length - 1]];
  const width = widthOf(others) || frequent[1] - first;
  const minStep = width / MAX_STEPS;
  let step = 0;
  for (let i = 1; i < frequent.length; i++) {
    step = commonDivisor(frequent[i] - frequent[i - 1], step, minStep / 100);
    if (step < minStep) return undefined;
  }
  // Over the whole width the rounding of single differences averages out.
  const rounded = Number(((last - first) / Math.round((last - first) / step)).toPrecision(6));
  return Number.isFinite(rounded) ? rounded : undefined;
}

/** Euclid's algorithm, in which what is below the tolerance is 0. */
function commonDivisor(a: number, b: number, tolerance: number): number {
  while (b > tolerance) [a, b] = [b, Math.abs(a - Math.round(a / b) * b)];
  return a;
}

/** `resolution` tries the powers of ten from -12 to 12. */
const MAX_DIGITS = 12;

/**
 * The unit of the last digit that the values of a column are printed with: a power of ten of which all are multiples, else
 * the spacing of the floating point numbers, of float32 where all are such.
 */
export function resolution(values: ArrayLike<number>): number {
  let largest = 0;
  let single = true;
  for (let i = 0; i < values.length; i++) {
    largest = Math.max(largest, Math.abs(values[i]));
    single &&= Math.fround(values[i]) === values[i];
  }
  for (let digits = -MAX_DIGITS; digits <= MAX_DIGITS; digits++) {
    const unit = 10 ** digits;
    // Beyond 2^50 units a number cannot be told from a multiple.
    if (largest * unit > 2 ** 50) break;
    if (multiples(values, unit)) return 1 / unit;
  }
  return largest * 2 ** (single ? -23 : -52);
}

/** Whether each value has a multiple of 1 / unit as its nearest decimal. */
function multiples(values: ArrayLike<number>, unit: number): boolean {
  for (let i = 0; i < values.length; i++) {
    const scaled = values[i] * unit;
    const whole = Math.round(scaled);
    if (Math.abs(scaled - whole) > 4 * Number.EPSILON * Math.abs(scaled)) return false;
  }
  return true;
}
