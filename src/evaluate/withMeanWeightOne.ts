import type { InMemoryDataset } from "../dataset/index.ts";

/** The rows with weights that are scaled to the mean 1, so that a prior of some rows does not depend on the scale of the weights. */
export function withMeanWeightOne(rows: InMemoryDataset): InMemoryDataset {
  const { meanWeight } = rows;
  return meanWeight === 1 ? rows : rows.with({ weights: rows.weights.map((weight) => weight / meanWeight) });
}
