import type { StoredValues } from "../dataset/selectRows.ts";

interface PixelRows {
  readonly rows: number;
  readonly features: number;
  /** [rows, D] in row-major order. */
  readonly values: StoredValues;
}

/**
 * A baseline for models of images, with independent pixels: P(x) = product over d of (c_d(x_d) + 1) / (M + values), where c_d(v) of the
 * M training rows have the value v in feature d (Laplace's rule). Returns log P of each row of `rows` in nats, [N].
 */
export function pixelHistograms(training: PixelRows, rows: PixelRows, values: number): Float64Array {
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
