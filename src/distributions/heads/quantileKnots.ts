import type { Knots } from "./quantileMap.ts";

/** Inner quantiles of the map: more follow the noise of a few thousand rows. */
const QUANTILES = 32;
/** Values beyond the outermost knot. Fewer would leave its place to chance. */
const TAIL_ROWS = 20;
/** The least distance of two knots, as a part of the range. A narrower bin would be a spike of the density. */
const MIN_DISTANCE = 1e-4;

/**
 * Knots of a map from the values of a column to logistic scores, z = logit F(x), where F is the distribution function of the values:
 * under it they follow about a standard logistic distribution.
 *
 * `sorted` are the values in ascending order, of which there is at least one. With `width` values are the middles of cells of this
 * width, over which their mass is spread.
 */
export function quantileKnots(sorted: ArrayLike<number>, { width = 0 } = {}): Knots {
  const n = sorted.length;
  const low = sorted[0] - width / 2;
  const high = sorted[n - 1] + width / 2;
  const range = high - low || Math.max(1, Math.abs(low));
  const x: number[] = [];
  const z: number[] = [];
  for (const level of levels(n)) {
    const at = quantile(sorted, level, width);
    if (x.length > 0 && at - x[x.length - 1] < MIN_DISTANCE * range) continue;
    x.push(at);
    z.push(Math.log(level / (1 - level)));
  }
  // A column with a single value, or nearly.
  if (x.length < 2)
    return { x: [x[0] - range / 2, x[0] + range / 2], z: [-2, 2], slope: [4 / range, 4 / range] };
  return { x, z, slope: slopes(x, z) };
}

/** Levels in (0, 1): equally spaced ones, and two in each tail as far as there are rows enough. */
function levels(n: number): number[] {
  const inner = Array.from({ length: QUANTILES }, (_, i) => (i + 1) / (QUANTILES + 1));
  const tail = [TAIL_ROWS / n, (5 * TAIL_ROWS) / n].filter((level) => level < 0.6 * inner[0]);
  return [...tail, ...inner, ...tail.map((level) => 1 - level).reverse()];
}

/** The value below which a part of the rows lies, linear between rows; over the width of cells if there is one. */
function quantile(sorted: ArrayLike<number>, level: number, width: number): number {
  const position = level * sorted.length - 0.5;
  const i = Math.min(sorted.length - 1, Math.max(0, Math.floor(position)));
  const value = sorted[i];
  if (width === 0) {
    const next = sorted[Math.min(sorted.length - 1, i + 1)];
    return value + Math.min(1, Math.max(0, position - i)) * (next - value);
  }
  const first = lowerBound(sorted, value);
  const end = lowerBound(sorted, value + width / 2);
  return value + width * ((level * sorted.length - first) / (end - first) - 0.5);
}

/** The number of values below `value`. */
function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Slopes at knots by the weighted harmonic mean of the two bins beside each (Fritsch and Butland 1984). */
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
