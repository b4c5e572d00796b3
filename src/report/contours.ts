import type { Range } from "./axis.ts";
import type { Column } from "./columns.ts";

/**
 * A log-density (nats, data units) of one or two columns on equally spaced ascending nodes: `values[i]` at `x[i]`, or
 * `values[j * x.length + i]` at `(x[i], y[j])`.
 */
export interface LogDensity {
  x: ArrayLike<number>;
  y?: ArrayLike<number> | undefined;
  values: Float64Array;
}

export interface LogDensityGrid extends LogDensity {
  y: ArrayLike<number>;
}

/**
 * The levels of the highest-density regions `{ log p >= level }` that contain the given masses, as fractions of the mass on the
 * grid (Hyndman 1996): ascending, without repetitions. Empty if the grid has no mass.
 */
export function massLevels(logDensity: Float64Array, masses: readonly number[]): number[] {
  const descending = logDensity.toSorted().reverse();
  const peak = descending[0]!;
  if (peak === Number.NEGATIVE_INFINITY) return [];
  const enclosed = new Float64Array(descending.length);
  descending.forEach((value, k) => {
    enclosed[k] = Math.exp(value - peak) + (enclosed[k - 1] ?? 0);
  });
  const total = enclosed.at(-1)!;
  const levels = masses.map((mass) => descending[enclosed.findIndex((sum) => sum >= mass * total)]!);
  return [...new Set(levels)].sort((a, b) => a - b);
}

/**
 * The logarithm of the Gaussian kernel density estimate of the samples, on a grid of `size` by `size` nodes within the axes.
 *
 * Samples are counted in cells, and the counts are convolved with the kernel along each axis, because a Gaussian kernel is
 * separable.
 */
export function kernelLogDensity(first: Column, second: Column, size = 96): LogDensityGrid {
  const [x, y] = [cells(first.axis.range, size), cells(second.axis.range, size)];
  const counts = new Float64Array(size * size);
  first.samples.forEach((value, row) => {
    const [i, j] = [x.indexOf(value), y.indexOf(second.samples[row]!)];
    if (i >= 0 && j >= 0) counts[j * size + i]! += 1;
  });
  const blurred = transpose(blurRows(counts, size, first.bandwidth / x.width), size);
  const density = transpose(blurRows(blurred, size, second.bandwidth / y.width), size);
  const scale = first.samples.length * x.width * y.width;
  return { x: x.centers, y: y.centers, values: density.map((count) => Math.log(count / scale)) };
}

/** Divides a range into `size` cells of equal width. */
export function cells([lower, upper]: Range, size: number) {
  const width = (upper - lower) / size;
  return {
    width,
    centers: Float64Array.from({ length: size }, (_, i) => lower + (i + 0.5) * width),
    /** The index of the cell that contains a value, or -1. */
    indexOf: (value: number): number =>
      value >= lower && value <= upper ? Math.min(size - 1, Math.floor((value - lower) / width)) : -1,
  };
}

/**
 * Convolves rows with a Gaussian of standard deviation `sigma`, in cells. Below 0.8 cells the contours would follow the cells.
 */
function blurRows(values: Float64Array, size: number, sigma: number): Float64Array {
  const spread = Math.max(0.8, sigma);
  const radius = Math.min(size - 1, Math.ceil(4 * spread));
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-0.5 * ((k - radius) / spread) ** 2),
  );
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  const blurred = new Float64Array(values.length);
  values.forEach((value, index) => {
    if (value === 0) return;
    const column = index % size;
    for (let k = Math.max(-radius, -column); k <= Math.min(radius, size - 1 - column); k++) {
      blurred[index + k]! += (value * kernel[k + radius]!) / sum;
    }
  });
  return blurred;
}

const transpose = (values: Float64Array, size: number): Float64Array =>
  values.map((_, index) => values[(index % size) * size + Math.floor(index / size)]!);
