import type { DataRows } from "./bijection.ts";

/** Weighted mean and (population) standard deviation of each column, in two passes that cannot overflow. */
export function columnMoments({ rows, features, values, weights }: DataRows): {
  mean: Float64Array;
  deviation: Float64Array;
} {
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  const farthest = new Float64Array(features);
  const total = weights ? sum(weights) : rows;
  for (let r = 0; r < rows; r++) {
    const share = (weights?.[r] ?? 1) / total;
    for (let c = 0; c < features; c++) mean[c] += share * values[r * features + c];
  }
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < features; c++) {
      farthest[c] = Math.max(farthest[c], Math.abs(values[r * features + c] - mean[c]));
    }
  }
  for (let r = 0; r < rows; r++) {
    const share = (weights?.[r] ?? 1) / total;
    for (let c = 0; c < features; c++) {
      if (farthest[c] > 0) deviation[c] += share * ((values[r * features + c] - mean[c]) / farthest[c]) ** 2;
    }
  }
  return { mean, deviation: deviation.map((square, c) => farthest[c] * Math.sqrt(square)) };
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
