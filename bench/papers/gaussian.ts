import { choleskyFactor } from "../../src/numerics/choleskyFactor.ts";
import { countRows, type Rows } from "./rows.ts";

/**
 * Log-density in nats of each row of `test` under the maximum-likelihood Gaussian of `training`, whose covariance divides by
 * N and whose variances are multiplied by 1 + ridge. Throws if the covariance is singular.
 */
export function gaussianLogDensity(training: Rows, test: Rows, ridge = 0): Float64Array {
  const { features } = training;
  const mean = new Float64Array(features);
  const rows = countRows(training);
  training.values.forEach((x, i) => {
    mean[i % features] += x / rows;
  });
  const matrix = covariance(training, mean);
  for (let d = 0; d < features; d++) matrix[d * features + d] *= 1 + ridge;
  const factor = choleskyFactor(matrix, features);
  let logDeterminant = 0;
  for (let d = 0; d < features; d++) {
    const pivot = factor[d * features + d];
    if (!(pivot > 0)) throw new Error(`The covariance is singular at column ${d}.`);
    logDeterminant += Math.log(pivot);
  }
  const constant = -logDeterminant - (features / 2) * Math.log(2 * Math.PI);
  const z = new Float64Array(features);
  return Float64Array.from({ length: countRows(test) }, (_, row) => {
    let squares = 0;
    // Forward substitution: z = L^-1 (x - mean).
    for (let i = 0; i < features; i++) {
      let sum = test.values[row * features + i] - mean[i];
      for (let j = 0; j < i; j++) sum -= factor[i * features + j] * z[j];
      z[i] = sum / factor[i * features + i];
      squares += z[i] ** 2;
    }
    return constant - squares / 2;
  });
}

/** The lower triangle of the covariance, [D, D]; the upper triangle is 0. */
function covariance({ features, values }: Rows, mean: Float64Array): Float64Array {
  const sums = new Float64Array(features * features);
  const rows = values.length / features;
  const centered = new Float64Array(features);
  for (let row = 0; row < rows; row++) {
    for (let d = 0; d < features; d++) centered[d] = values[row * features + d] - mean[d];
    for (let i = 0; i < features; i++) {
      const x = centered[i];
      const start = i * features;
      for (let j = 0; j <= i; j++) sums[start + j] += x * centered[j];
    }
  }
  return sums.map((sum) => sum / rows);
}
