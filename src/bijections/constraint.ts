import type { Tensor } from "../graph/index.ts";
import { sumFeatures, type Transformed } from "./bijection.ts";

/**
 * Maps that grow or fall exponentially clamp their exponents to +-80. float32 can represent exp(80) = 5e34 and exp(-80) = 2e-35,
 * so samples are finite and inside the support.
 */
export const MAX_EXPONENT = 80;

/** Clamps u to [-80, 80]; the gradient is 0 where it is clamped. */
export const clampExponent = (u: Tensor): Tensor => u.maximum(-MAX_EXPONENT).minimum(MAX_EXPONENT);

/**
 * The inverse of an elementwise map onto a part of the real line, where `inverse` computes its value and log-derivative. Where
 * `outside` is true, the value is that of `replacement`, a point of the support, and the log-determinant is -Infinity with
 * gradient 0. Both the argument and the result are replaced, so that gradients stay finite. A NaN stays NaN.
 */
export function inverseOnSupport(
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
