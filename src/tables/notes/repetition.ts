import { centralRange, filterValues, mostFrequent, type ValueCounts } from "../../dataset/index.ts";
import { gridStep } from "./grid.ts";

/** About as many peaks as a model can place in one column. The model treats a grid of more values as smooth. */
const MAX_PEAKS = 200;
/** Fewer rows per value, on average, may be equal by chance or by rounding. */
const MIN_ROWS_PER_VALUE = 5;
/** If at least this fraction of the rows has one value, the peak of the density at this value dominates the mean log-density. */
const MIN_MODE_SHARE = 0.1;

/**
 * Whether the values of a column repeat so much that its density is unbounded: it has at most 200 different values, each in at
 * least five rows on average, or one value is in a tenth of the rows (and in at least five).
 */
export function valuesRepeat(
  { distinct, modeShare }: { readonly distinct: number; readonly modeShare: number },
  rows: number,
): boolean {
  return isFewValues(distinct, rows) || isFrequent(modeShare * rows, rows);
}

const isFewValues = (distinct: number, rows: number) =>
  distinct <= Math.min(MAX_PEAKS, rows / MIN_ROWS_PER_VALUE);

/** `count` may be the product of a fraction and a number of rows, slightly less than an integer by rounding. */
const isFrequent = (count: number, rows: number) =>
  Math.round(count) >= Math.max(MIN_ROWS_PER_VALUE, MIN_MODE_SHARE * rows);

/** How the values of a column repeat. */
export type Repetition =
  /** A few values, such as the codes of a category, or more values that are on no grid. */
  | { readonly kind: "fewValues"; readonly distinct: number; readonly step: number | undefined }
  /** Nearly all values are an offset plus a multiple of a step. */
  | { readonly kind: "grid"; readonly distinct: number; readonly step: number }
  /** Some values are in many rows, and the other values are continuous: a distribution with atoms and a density. */
  | { readonly kind: "atoms"; readonly atoms: readonly number[]; readonly rows: number };

/** A column with at most this many values looks like a category. */
const MAX_CATEGORIES = 10;
/**
 * Limit of the density at the most frequent value, after noise as wide as the step was added to all values, relative to a uniform
 * density.
 */
const MAX_PEAK_AFTER_NOISE = 50;
/** At least this fraction of the rows must have other values for the frequent values to be atoms beside a density. */
const MIN_CONTINUOUS = 0.1;

/** How the values of a column repeat; undefined if they do not, or if there is only one value. */
export function findRepetition(counted: ValueCounts): Repetition | undefined {
  const { rows } = counted;
  const distinct = counted.values.length;
  const mode = mostFrequent(counted);
  if (distinct < 2 || !valuesRepeat({ distinct, modeShare: mode.count / rows }, rows)) return undefined;
  const step = gridStep(counted);
  const fewValues = { kind: "fewValues", distinct, step } as const;
  const hasFewValues = isFewValues(distinct, rows);
  if (hasFewValues && distinct <= MAX_CATEGORIES) return fewValues;
  const withoutMode = filterValues(counted, (value) => value !== mode.value);
  // With noise as wide as the step, a value has the density frequency / step. On a fine grid, a frequent value is still a spike.
  const peak = step === undefined ? Infinity : ((mode.count / rows) * centralRange(withoutMode)) / step;
  if (step !== undefined && peak <= MAX_PEAK_AFTER_NOISE) return { kind: "grid", distinct, step };

  const atoms: number[] = [];
  let remaining = counted;
  for (;;) {
    const { value, count } = mostFrequent(remaining);
    if (!isFrequent(count, remaining.rows)) break;
    atoms.push(value);
    remaining = filterValues(remaining, (candidate) => candidate !== value);
    if (remaining.rows === 0) return fewValues;
  }
  if (hasFewValues) {
    const continuous =
      remaining.rows >= MIN_CONTINUOUS * rows &&
      (step !== undefined || !isFewValues(remaining.values.length, remaining.rows));
    if (!continuous || atoms.length === 0) return fewValues;
  }
  return { kind: "atoms", atoms: atoms.sort((a, b) => a - b), rows: rows - remaining.rows };
}
