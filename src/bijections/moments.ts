import type { DataRows } from "./bijection.ts";

/** Weighted mean and (population) standard deviation of each column, in two passes. */
export function columnMoments({ rows, features, values, weights }: DataRows): {
  mean: Float64Array;
  deviation: Float64Array;
} {
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  let total = 0;
  for (let r = 0; r < rows; r++) total += weights?.[r] ?? 1;
  for (let r = 0; r < rows; r++) {
    const weight = (weights?.[r] ?? 1) / total;
    for (let c = 0; c < features; c++) mean[c] += weight * values[r * features + c];
  }
  for (let r = 0; r < rows; r++) {
    const weight = (weights?.[r] ?? 1) / total;
    for (let c = 0; c < features; c++) deviation[c] += weight * (values[r * features + c] - mean[c]) ** 2;
  }
  return { mean, deviation: deviation.map(Math.sqrt) };
}

/** The q-quantile of sorted numbers, linear between neighbours. */
export function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
