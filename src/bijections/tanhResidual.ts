import { scalar, solveIncreasing, type Tensor } from "../graph/index.ts";
import { MIN_SLOPE } from "../numerics/index.ts";
import type { ScalarTransformed } from "./scalar/scalarTransform.ts";

/** softplus(IDENTITY_OFFSET) = 1 - MIN_SLOPE, so that the raw value 0 gives the slope 1. */
const IDENTITY_OFFSET = Math.log(Math.expm1(1 - MIN_SLOPE));

/** Maps any number to a positive slope: s = softplus(raw + c) + 1/1000, with c such that raw = 0 gives s = 1. */
export const positiveSlope = (raw: Tensor): Tensor => raw.add(IDENTITY_OFFSET).softplus().add(MIN_SLOPE);

/**
 * The increasing map a + (s - 1) tanh(a) with slope s > 0 at 0 and 1 at infinity: planar and Sylvester flows are this map along
 * each of their directions. With t = tanh(a) its derivative 1 + (s - 1) (1 - t^2) is computed as t^2 + (1 - t^2) s, whose terms
 * are positive and cannot cancel.
 */
export function tanhResidual(a: Tensor, s: Tensor): ScalarTransformed {
  const t = a.tanh();
  const square = t.square();
  return {
    value: a.add(s.sub(1).mul(t)),
    logDerivative: square.add(scalar(1).sub(square).mul(s)).log(),
  };
}

/** The inverse of `tanhResidual`, by root finding. */
export const invertTanhResidual = (value: Tensor, s: Tensor): ScalarTransformed =>
  solveIncreasing((a) => tanhResidual(a, s), value);
