import type { ValueCounts } from "../../dataset/index.ts";
import { greatestCommonDivisor } from "../../numerics/index.ts";
import { isHardBound } from "./columnBounds.ts";
import type { ColumnOptions } from "./columnOptions.ts";

/** The tolerance, in steps, when a number divided by the step is rounded down or up: 4.6 / 0.1 is 45.99999999999999 and not 46. */
const ROUNDING = 1e-9;

/** The smallest number of decimals with which all values are written exactly, at most 15; undefined if there is none. */
export function decimalsOf(values: readonly number[]): number | undefined {
  let decimals = 0;
  for (const value of values) {
    while (decimals <= 15 && Number(value.toFixed(decimals)) !== value) decimals++;
    if (decimals > 15) return undefined;
  }
  return decimals;
}

/** The largest step of which all differences are multiples; undefined if a value has too many digits. */
export function latticeSpacing(values: readonly number[], decimals: number): number | undefined {
  const unit = 10 ** decimals;
  const first = Math.round(values[0] * unit);
  let step = 0;
  for (const value of values) {
    const scaled = Math.round(value * unit);
    if (!Number.isSafeInteger(scaled)) return undefined;
    step = greatestCommonDivisor(step, scaled - first);
  }
  return Number((step / unit).toFixed(decimals));
}

/**
 * The first value and the number of cells of a lattice. The lattice extends beyond the smallest and the largest value by the range of the
 * values, so that new rows with values there have a small probability and not 0. It does not extend beyond a value that many rows have
 * (`isHardBound`), nor below 0 if no value is negative.
 */
export function latticeRange(
  step: number,
  { values }: ValueCounts,
  regular: ValueCounts,
  { low, high }: ColumnOptions,
): { first: number; cells: number } {
  const minimum = regular.values[0];
  const maximum = regular.values[regular.values.length - 1];
  const range = Math.max(1, Math.round((maximum - minimum) / step));
  const before = isHardBound(regular, 0)
    ? 0
    : minimum >= 0
      ? Math.min(range, Math.floor(minimum / step + ROUNDING))
      : range;
  const after = isHardBound(regular, regular.values.length - 1) ? 0 : range;
  const round = (value: number) => Math.round((value - minimum) / step);
  const start = Math.min(
    round(values[0]),
    low === undefined ? -before : Math.ceil((low - minimum) / step - ROUNDING),
  );
  const end = Math.max(
    round(values[values.length - 1]),
    high === undefined ? range + after : Math.floor((high - minimum) / step + ROUNDING),
  );
  return { first: minimum + start * step, cells: end - start + 1 };
}
