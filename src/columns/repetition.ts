import { filterValues, mostFrequent, type ValueCounts, widthOf } from "./columnValues.ts";
import { gridStep } from "./grid.ts";

/** A model can place about as many peaks as this in one column; a grid of more values looks smooth to it. */
const MAX_PEAKS = 200;
/** Fewer rows than this for a value, on average, may be chance or rounding. */
const MIN_ROWS_PER_VALUE = 5;
/** The share of the rows with one value from which on its peak decides the log-density. */
const MIN_MODE_SHARE = 0.1;

/**
 * Whether the values of a column repeat so much that its density has no bound: it has at most 200 different values, each
 * in five rows or more on average, or a tenth of the rows (and at least five) have one value.
 */
export function valuesRepeat(
  { distinct, modeShare }: { readonly distinct: number; readonly modeShare: number },
  rows: number,
): boolean {
  return fewFor(distinct, rows) || isFrequent(modeShare * rows, rows);
}

const fewFor = (distinct: number, rows: number) => distinct <= Math.min(MAX_PEAKS, rows / MIN_ROWS_PER_VALUE);

/** The product with a share may be a little less than the count. */
const isFrequent = (count: number, rows: number) =>
  Math.round(count) >= Math.max(MIN_ROWS_PER_VALUE, MIN_MODE_SHARE * rows);

/** In what way the values of a column repeat. */
export type Repetition =
  /** A few values, as of a category; or more of them that lie on no grid. */
  | { readonly kind: "fewValues"; readonly distinct: number; readonly step: number | undefined }
  /** Nearly all values are multiples of a step, from some offset on. */
  | { readonly kind: "grid"; readonly distinct: number; readonly step: number }
  /** Some values are in many rows; the others are continuous. */
  | { readonly kind: "atoms"; readonly atoms: readonly number[]; readonly rows: number };

/** A column of so few values looks like a category. */
const MAX_CATEGORIES = 10;
/** What is the peak of a frequent value after each value was spread over a step, relative to an even density. */
const MAX_PEAK_AFTER_SPREADING = 50;
/** The share of the rows that must have none of the frequent values, for these to be called atoms beside a density. */
const MIN_REST = 0.1;

/** How the values of a column repeat; undefined where they do not, or where there is only one. */
export function repetitionOf(counted: ValueCounts): Repetition | undefined {
  const { rows } = counted;
  const distinct = counted.values.length;
  const mode = mostFrequent(counted);
  if (distinct < 2 || !valuesRepeat({ distinct, modeShare: mode.count / rows }, rows)) return undefined;
  const step = gridStep(counted);
  const fewValues = { kind: "fewValues", distinct, step } as const;
  const few = fewFor(distinct, rows);
  if (few && distinct <= MAX_CATEGORIES) return fewValues;
  const others = filterValues(counted, (value) => value !== mode.value);
  // Noise as wide as the step gives a value the density share / step. On a fine grid, that of a frequent value is a spike.
  const peak = step === undefined ? Infinity : ((mode.count / rows) * widthOf(others)) / step;
  if (step !== undefined && peak <= MAX_PEAK_AFTER_SPREADING) return { kind: "grid", distinct, step };

  const atoms: number[] = [];
  let rest = counted;
  for (;;) {
    const { value, count } = mostFrequent(rest);
    if (!isFrequent(count, rest.rows)) break;
    atoms.push(value);
    rest = filterValues(rest, (other) => other !== value);
    if (rest.rows === 0) return fewValues;
  }
  if (few) {
    const continuous =
      rest.rows >= MIN_REST * rows && (step !== undefined || !fewFor(rest.values.length, rest.rows));
    if (!continuous || atoms.length === 0) return fewValues;
  }
  return { kind: "atoms", atoms: atoms.sort((a, b) => a - b), rows: rows - rest.rows };
}
