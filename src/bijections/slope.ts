import { scalar, type Tensor } from "../graph/tensor.ts";
import { solveIncreasing } from "../numerics/solve.ts";
import type { ScalarTransformed } from "./scalar/scalarTransform.ts";

/** No slope is below 1/1000, so that float32 can come back from it. */
const LEAST = 1e-3;
/** softplus(OFFSET) = 1 - LEAST, so that 0 gives the slope 1. */
const OFFSET = Math.log(Math.expm1(1 - LEAST));

/** A positive slope from any number: softplus(raw + c) + 1/1000, with c such that 0 gives 1. */
export const positiveSlope = (raw: Tensor): Tensor => raw.add(OFFSET).softplus().add(LEAST);

/**
 * a + (s - 1) tanh(a), whose slope runs from s > 0 at 0 to 1 far out. Its derivative 1 + (s - 1) (1 - t^2) with t = tanh(a)
 * is written as t^2 + (1 - t^2) s, which has positive terms alone.
 */
export function tanhBend(a: Tensor, s: Tensor): ScalarTransformed {
  const t = a.tanh();
  const square = t.square();
  return {
    value: a.add(s.sub(1).mul(t)),
    logDerivative: square.add(scalar(1).sub(square).mul(s)).log(),
  };
}

/** The a that `tanhBend` takes to the given value, by root finding. */
export const unbend = (value: Tensor, s: Tensor): ScalarTransformed =>
  solveIncreasing((a) => tanhBend(a, s), value);
