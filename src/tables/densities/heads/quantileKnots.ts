import { scaledValue, type ValueScale } from "../../../bijections/index.ts";
import { anyValue, checkOptions, integerFrom, numberFrom } from "../../../check/index.ts";
import { lowerBound } from "../../../numerics/index.ts";
import type { Knots } from "./quantileMap.ts";

/**
 * By default there is one of the equally spaced quantiles for this many rows, within the limits below. With more quantiles, the map
 * would follow the sampling noise of the rows. bench/tables/EXPERIMENTS.md compares such rules.
 */
const ROWS_PER_QUANTILE = 16;
const QUANTILES = { min: 8, max: 32 };
/** The number of rows beyond the outermost knot of a tail. With fewer, the location of the knot would depend on single rows. */
const TAIL_ROWS = 20;
/** The number of rows beyond the second knot of a tail. */
const INNER_TAIL_ROWS = 5 * TAIL_ROWS;
/** A knot of a tail is left out if its level is above this fraction of the outermost equally spaced level. */
const MAX_TAIL_LEVEL = 0.6;
/** Smallest distance between two knots, as a fraction of the range. In a narrower bin the density would have a spike. */
const MIN_DISTANCE = 1e-4;

/** Options of `quantileKnots`. */
export interface QuantileKnotsOptions {
  /**
   * The width of the cells of a lattice (`tableHeads` gives 1). Rows in a cell are treated as uniform over it. Default 0, for continuous
   * columns.
   */
  width?: number | undefined;
  /** The scale y(x) of the column. Default linear. */
  scale?: ValueScale | undefined;
  /**
   * The number of equally spaced quantiles, each of which is a knot unless it nearly coincides with the knot before. Default: one for
   * 16 rows, but at least 8 and at most 32.
   */
  quantiles?: number | undefined;
}

/**
 * Knots of the map z = logit F(y), where F is the empirical distribution function of y(x) for the values x of a column. The values z
 * have approximately a standard logistic distribution. The knots are on the axis of y: `Knots.x` holds values of y. They are at
 * quantiles of the column, with slopes that keep the map increasing.
 *
 * `sorted` has the values x in ascending order, at least one, no NaN, and all inside the bounds of the scale. Throws `ARGUMENT` if the
 * options are not valid.
 */
export function quantileKnots(sorted: ArrayLike<number>, options: QuantileKnotsOptions = {}): Knots {
  checkOptions("quantileKnots", options, {
    width: numberFrom(0),
    scale: anyValue,
    quantiles: integerFrom(1),
  });
  const n = sorted.length;
  const { width = 0, scale = { type: "linear" }, quantiles = quantilesFor(n) } = options;
  const low = scaledValue(scale, sorted[0] - width / 2);
  const high = scaledValue(scale, sorted[n - 1] + width / 2);
  const range = high - low || Math.max(1, Math.abs(low));
  const x: number[] = [];
  const z: number[] = [];
  for (const level of levels(n, quantiles)) {
    const y = scaledValue(scale, quantile(sorted, level, width));
    if (x.length > 0 && y - x[x.length - 1] < MIN_DISTANCE * range) continue;
    x.push(y);
    z.push(Math.log(level / (1 - level)));
  }
  // Fewer than two knots remain if nearly all rows share one value. The map is then a straight line through it.
  if (x.length < 2)
    return { x: [x[0] - range / 2, x[0] + range / 2], z: [-2, 2], slope: [4 / range, 4 / range] };
  return { x, z, slope: slopes(x, z) };
}

const quantilesFor = (rows: number): number =>
  Math.min(QUANTILES.max, Math.max(QUANTILES.min, Math.floor(rows / ROWS_PER_QUANTILE)));

/** Probability levels in (0, 1), ascending: equally spaced ones, and up to two more in each tail if there are enough rows. */
function levels(n: number, quantiles: number): number[] {
  const inner = Array.from({ length: quantiles }, (_, i) => (i + 1) / (quantiles + 1));
  const tail = [TAIL_ROWS / n, INNER_TAIL_ROWS / n].filter((level) => level < MAX_TAIL_LEVEL * inner[0]);
  return [...tail, ...inner, ...tail.map((level) => 1 - level).reverse()];
}

/** The quantile of a probability level: interpolated between rows, or within the cell if `width` is positive. */
function quantile(sorted: ArrayLike<number>, level: number, width: number): number {
  const last = sorted.length - 1;
  if (width === 0) {
    const position = Math.max(0, level * sorted.length - 0.5);
    const i = Math.min(last, Math.floor(position));
    return sorted[i] + Math.min(1, position - i) * (sorted[Math.min(last, i + 1)] - sorted[i]);
  }
  const value = sorted[Math.min(last, Math.floor(level * sorted.length))];
  const first = lowerBound(sorted, value);
  const end = lowerBound(sorted, value + width / 2);
  return value + width * ((level * sorted.length - first) / (end - first) - 0.5);
}

/**
 * The slope at each knot: the weighted harmonic mean of the secants of the neighboring bins (Fritsch and Butland 1984), and at the ends
 * the secant of the outermost bin.
 */
function slopes(x: readonly number[], z: readonly number[]): number[] {
  const widths = x.slice(1).map((end, i) => end - x[i]);
  const secants = z.slice(1).map((end, i) => (end - z[i]) / widths[i]);
  return x.map((_, i) => {
    if (i === 0) return secants[0];
    if (i === x.length - 1) return secants[i - 1];
    const [before, after] = [widths[i - 1], widths[i]];
    const weights = [2 * after + before, after + 2 * before];
    return (weights[0] + weights[1]) / (weights[0] / secants[i - 1] + weights[1] / secants[i]);
  });
}
