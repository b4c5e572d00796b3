import { choleskyFactor } from "../numerics/index.ts";
import type { EvaluateRows } from "./sampling/chainProgram.ts";

/** The map x = center + L z with a lower triangular L: for standard normal z, x has the mean `center` and the covariance L L^T. */
export interface AffineMap {
  readonly center: Float64Array;
  /** L, [D, D] in row-major order. */
  readonly lower: Float64Array;
}

/**
 * The map whose center and covariance L L^T are the mean and the covariance of rows [n, D]. The covariances of different columns are
 * multiplied by n / (D + n), so that L exists even for n < D; a column without variance has the scale 1.
 */
export function affineMapOf(rows: Float64Array, features: number): AffineMap {
  const n = rows.length / features;
  const center = new Float64Array(features);
  for (let i = 0; i < rows.length; i++) center[i % features] += rows[i] / n;
  const covariance = new Float64Array(features * features);
  for (let row = 0; row < rows.length; row += features)
    for (let i = 0; i < features; i++)
      for (let j = 0; j <= i; j++)
        covariance[i * features + j] += ((rows[row + i] - center[i]) * (rows[row + j] - center[j])) / n;
  const shrinkage = features / (features + n);
  for (let i = 0; i < features; i++) {
    for (let j = 0; j < i; j++) covariance[i * features + j] *= 1 - shrinkage;
    covariance[i * features + i] ||= 1;
  }
  return { center, lower: choleskyFactor(covariance, features) };
}

/** x = center + L z of rows z [n, D]. */
export function mapRows({ center, lower }: AffineMap, rows: Float64Array): Float64Array {
  const features = center.length;
  return rows.map((_, k) => {
    const i = k % features;
    let sum = center[i];
    for (let j = 0; j <= i; j++) sum += lower[i * features + j] * rows[k - i + j];
    return sum;
  });
}

/** z = L^-1 (x - center) of rows x [n, D]. */
export function unmapRows({ center, lower }: AffineMap, rows: Float64Array): Float64Array {
  const features = center.length;
  const result = new Float64Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const i = k % features;
    let sum = rows[k] - center[i];
    for (let j = 0; j < i; j++) sum -= lower[i * features + j] * result[k - i + j];
    result[k] = sum / lower[i * features + i];
  }
  return result;
}

/** The log-density of z, up to a constant, and its gradient L^T g, from those of x. */
export const pulledBackByAffine =
  (map: AffineMap, evaluate: EvaluateRows): EvaluateRows =>
  async (rows) => {
    const features = map.center.length;
    const evaluated = await evaluate(mapRows(map, rows));
    const gradient = evaluated.gradient.map((_, k) => {
      const j = k % features;
      let sum = 0;
      for (let i = j; i < features; i++) sum += map.lower[i * features + j] * evaluated.gradient[k - j + i];
      return sum;
    });
    return { ...evaluated, gradient };
  };
