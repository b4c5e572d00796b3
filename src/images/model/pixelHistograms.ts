import type { StoredValues } from "../../dataset/index.ts";

interface PixelRows {
  readonly rows: number;
  readonly features: number;
  /** [rows, D] in row-major order. */
  readonly values: StoredValues;
}

/** The weights a that are tried. */
const PRIOR_WEIGHTS = [0.1, 1, 10, 100, 1000];

/**
 * A baseline for models of images, with independent pixels: P(x) = product over d of (c_d(x_d) + a q(x_d)) / (M + a), where c_d(v) of the
 * M training rows have the value v in feature d. The histograms have the prior q(v), the share of the value v among all pixels, with one added to
 * each count. Its weight a in rows has the highest likelihood of each row given the others. Returns log P of each row of `rows` in nats, [N].
 */
export function pixelHistograms(training: PixelRows, rows: PixelRows, values: number): Float64Array {
  const { features } = training;
  const counts = new Float64Array(features * values);
  const total = new Float64Array(values).fill(1);
  training.values.forEach((pixel, i) => {
    counts[(i % features) * values + pixel]!++;
    total[pixel]!++;
  });
  const prior = total.map((count) => count / (training.rows * features + values));
  const logLikelihoods = PRIOR_WEIGHTS.map((weight) => leaveOneOut(counts, prior, training, weight));
  const weight = PRIOR_WEIGHTS[logLikelihoods.indexOf(Math.max(...logLikelihoods))]!;
  const logTotal = Math.log(training.rows + weight);
  const logProb = new Float64Array(rows.rows);
  rows.values.forEach((pixel, i) => {
    const count = counts[(i % features) * values + pixel]! + weight * prior[pixel]!;
    logProb[Math.floor(i / features)]! += Math.log(count) - logTotal;
  });
  return logProb;
}

/** The sum of the log-probabilities of the pixels of each training row given the other rows. */
function leaveOneOut(
  counts: Float64Array,
  prior: Float64Array,
  { rows, features }: PixelRows,
  weight: number,
): number {
  let sum = -rows * features * Math.log(rows - 1 + weight);
  counts.forEach((count, i) => {
    if (count > 0) sum += count * Math.log(count - 1 + weight * prior[i % prior.length]!);
  });
  return sum;
}
