import { PushforwardError } from "../../check/index.ts";
import { quantile, type ValueCounts } from "../../dataset/index.ts";
import type { ColumnOptions } from "./columnOptions.ts";

/** Bounds of the values of a column. */
export interface Bounds {
  readonly low?: number;
  readonly high?: number;
}

/** No bounds are inferred from fewer rows, whose range says little about which values are possible. */
const MIN_ROWS_FOR_BOUNDS = 20;
/** The smallest or the largest value is a bound if at least this many rows, and this fraction of them, have it. */
const MIN_ROWS_AT_BOUND = 10;
const MIN_SHARE_AT_BOUND = 0.005;
const PERCENTAGE_NAME = /percent|pct|%|humidity/i;

/** Throws `DATA` if values are outside the bounds that a user states. */
export function checkBounds(
  {
    kind,
    low = kind === "positive" ? 0 : Number.NEGATIVE_INFINITY,
    high = Number.POSITIVE_INFINITY,
  }: ColumnOptions,
  { values }: ValueCounts,
  name: string,
): void {
  const [minimum, maximum] = [values[0], values[values.length - 1]];
  if (minimum >= low && maximum <= high) return;
  throw new PushforwardError("DATA", `column "${name}" has values outside its bounds`, {
    expected:
      high === Number.POSITIVE_INFINITY
        ? `at least ${low}`
        : low === Number.NEGATIVE_INFINITY
          ? `at most ${high}`
          : `values from ${low} to ${high}`,
    received: `values from ${minimum} to ${maximum}`,
    hint: "Correct the bounds, or leave such rows out.",
  });
}

/** Whether the value with index `i`, the smallest or the largest one, is so frequent that no value beyond it seems possible. */
export const isHardBound = ({ counts, rows }: ValueCounts, i: number): boolean =>
  counts[i] >= Math.max(MIN_ROWS_AT_BOUND, MIN_SHARE_AT_BOUND * rows);

/**
 * The bounds that a user states or, if there are none, those that the values suggest:
 *
 * - the smallest or the largest value, if many rows have it
 * - 0 below, if no value is negative and some are close to 0
 * - 0 and 1, if the values fill this range, and 0 and 100 for percentages
 *
 * For few values, and for the kinds `continuous` and `heavy-tailed`, no bounds are inferred.
 */
export function boundsOf(
  { kind, low: statedLow, high }: ColumnOptions,
  regular: ValueCounts,
  name: string,
): Bounds {
  const low = statedLow ?? (kind === "positive" ? 0 : undefined);
  const minimum = regular.values[0];
  const maximum = regular.values[regular.values.length - 1];
  if (low !== undefined || high !== undefined)
    return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
  if (kind === "heavy-tailed" || kind === "continuous" || regular.rows < MIN_ROWS_FOR_BOUNDS) return {};
  const hardHigh = isHardBound(regular, regular.values.length - 1) && { high: maximum };
  if (minimum < 0 || minimum > 0.1 * quantile(regular, 0.5))
    return { ...(isHardBound(regular, 0) && { low: minimum }), ...hardHigh };
  if (maximum <= 1 && maximum > 0.95) return { low: 0, high: 1 };
  const mayBePercentage = PERCENTAGE_NAME.test(name) ? maximum <= 100 && maximum > 20 : maximum === 100;
  return { low: 0, ...(mayBePercentage ? { high: 100 } : hardHigh) };
}

export const isOutside = ({ low, high }: Bounds, value: number): boolean =>
  (low !== undefined && value < low) || (high !== undefined && value > high);
