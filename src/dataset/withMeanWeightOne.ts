import type { InMemoryDataset } from "./inMemoryDataset.ts";

/**
 * The rows with weights that are scaled such that the positive ones have the mean 1, so that a prior of some rows does not depend on the
 * scale of the weights. If no weight is positive, the weights do not change.
 */
export function withMeanWeightOne(rows: InMemoryDataset): InMemoryDataset {
  const positive = rows.weights.filter((weight) => weight > 0);
  const meanWeight = positive.reduce((sum, weight) => sum + weight, 0) / positive.length;
  if (positive.length === 0 || meanWeight === 1) return rows;
  return rows.with({ weights: rows.weights.map((weight) => weight / meanWeight) });
}
