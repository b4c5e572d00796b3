import { type Bijection, Chain, LULinear, Standardize } from "../bijections/index.ts";
import { StandardNormal } from "../distributions/index.ts";
import { Flow, nsf, realNVP } from "../flows/index.ts";
import type { AffineMap } from "./affineMap.ts";

/**
 * The flow that `infer` fits by default: affine couplings, and next to the data the affine map of the pilot chains. One coordinate has nothing
 * to couple to, so its flow is a spline.
 */
export function defaultFlow(map: AffineMap, seed: number): Flow {
  const features = map.center.length;
  const { base, bijection } =
    features === 1
      ? nsf(1, { transforms: 2, seed })
      : realNVP(features, { transforms: 6, hidden: [64, 64], seed });
  return new Flow(base, new Chain([bijection, affineBijection(map)]));
}

/** The normal distribution with the mean and the covariance of an affine map, as a flow. */
export const normalFlow = (map: AffineMap): Flow =>
  new Flow(new StandardNormal({ features: map.center.length }), affineBijection(map));

/** x = center + L z as a bijection: the correlations of L L^T, and then a standardization. */
function affineBijection({ center, lower }: AffineMap): Bijection {
  const features = center.length;
  const deviations = center.map((_, i) => Math.hypot(...lower.subarray(i * features, i * features + i + 1)));
  const correlate = new LULinear({ features });
  // z = x W for x = L z with the Cholesky factor L of the correlations: W = L^-T, which is upper triangular.
  const inverse = inverseOfLowerTriangle(
    lower.map((value, k) => value / deviations[Math.floor(k / features)]),
    features,
  );
  for (let i = 0; i < features; i++) {
    correlate.logDiagonal.value[i] = Math.log(inverse[i * features + i]);
    for (let j = i + 1; j < features; j++)
      correlate.upper.value[i * features + j] = inverse[j * features + i];
  }
  return new Chain([correlate, Standardize.of(center, deviations)]);
}

/** The inverse of a lower triangular matrix. */
function inverseOfLowerTriangle(lower: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    for (let i = column; i < size; i++) {
      let sum = i === column ? 1 : 0;
      for (let k = column; k < i; k++) sum -= lower[i * size + k] * inverse[k * size + column];
      inverse[i * size + column] = sum / lower[i * size + i];
    }
  }
  return inverse;
}
