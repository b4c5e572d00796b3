import type { Tensor } from "../graph/tensor.ts";
import { sumFeatures, type Transformed } from "./bijection.ts";

/**
 * Latent values are taken no farther out where a map grows or falls exponentially: exp(80) = 5e34 and exp(-80) = 2e-35 are
 * numbers in float32, so what is drawn is finite and in the support.
 */
export const FARTHEST = 80;

/** u in [-80, 80], with gradient 0 beyond. */
export const withinReach = (u: Tensor): Tensor => u.maximum(-FARTHEST).minimum(FARTHEST);

/**
 * The inverse of an elementwise map onto a part of the line: `inverse` gives the value and the log-derivative inside. Outside
 * the log-determinant is -Infinity, with gradient 0, and the value that of `replacement`, a point inside. The argument is
 * replaced before the formula and the result after it. A NaN is neither inside nor outside, and stays one.
 */
export function onSupport(
  x: Tensor,
  outside: Tensor,
  replacement: number,
  inverse: (x: Tensor) => { value: Tensor; logDerivative: Tensor },
): Transformed {
  const { value, logDerivative } = inverse(outside.where(replacement, x));
  return {
    value,
    logDet: sumFeatures(outside.where(Number.NEGATIVE_INFINITY, logDerivative), x.shape.at(-1) as number),
  };
}
