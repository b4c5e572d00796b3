import type { InMemoryDataset } from "../dataset/index.ts";

/**
 * A baseline for models of images: independent pixels, whose probabilities are those of histograms with one more count for each
 * value (Laplace's rule). Returns the log-probability of each row of `rows` in nats: [N].
 */
export function pixelHistograms(
  training: Pick<InMemoryDataset, "rows" | "features" | "values">,
  rows: Pick<InMemoryDataset, "rows" | "features" | "values">,
  values: number,
): Float64Array {
  const { features } = training;
  const counts = new Float64Array(features * values).fill(1);
  training.values.forEach((pixel, i) => {
    counts[(i % features) * values + pixel]!++;
  });
  const total = Math.log(training.rows + values);
  const logProb = new Float64Array(rows.rows);
  rows.values.forEach((pixel, i) => {
    logProb[Math.floor(i / features)]! += Math.log(counts[(i % features) * values + pixel]!) - total;
  });
  return logProb;
}
