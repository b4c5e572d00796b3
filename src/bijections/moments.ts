import type { DataRows } from "./bijection.ts";

/**
 * Weighted mean and (population) standard deviation of each column. Columns are scaled by a power of two, so that nothing
 * overflows or vanishes on the way, and the mean is corrected by that of the deviations from it: that of equal values is exact.
 */
export function columnMoments({ rows, features, values, weights }: DataRows): {
  mean: Float64Array;
  deviation: Float64Array;
} {
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  const total = weights ? sum(weights) : rows;
  for (let c = 0; c < features; c++) {
    const average = (of: (x: number) => number) => {
      let result = 0;
      for (let r = 0; r < rows; r++) result += ((weights?.[r] ?? 1) / total) * of(values[r * features + c]);
      return result;
    };
    let largest = 0;
    for (let r = 0; r < rows; r++) largest = Math.max(largest, Math.abs(values[r * features + c]));
    const unit = largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
    const rough = average((x) => x / unit);
    const center = rough + average((x) => x / unit - rough);
    let farthest = 0;
    for (let r = 0; r < rows; r++)
      farthest = Math.max(farthest, Math.abs(values[r * features + c] / unit - center));
    const square = farthest === 0 ? 0 : average((x) => ((x / unit - center) / farthest) ** 2);
    mean[c] = center * unit;
    deviation[c] = farthest * Math.sqrt(square) * unit;
  }
  return { mean, deviation };
}

/**
 * The values between which all but a weight of `share` at either end lies: the smallest x with at least that much at or
 * below it, and the largest with at least that much at or above it.
 */
export function middleRange(values: Float64Array, share: number, weights?: Float64Array): [number, number] {
  if (!weights) {
    const sorted = values.slice().sort();
    const outside = Math.max(0, Math.ceil(share * sorted.length) - 1);
    return [sorted[outside], sorted[sorted.length - 1 - outside]];
  }
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const outside = share * sum(weights);
  const reached = (indices: Iterable<number>) => {
    let weight = 0;
    for (const index of indices) {
      weight += weights[index];
      if (weight > 0 && weight >= outside) return values[index];
    }
    return Number.NaN;
  };
  return [reached(order), reached(order.toReversed())];
}

const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);
