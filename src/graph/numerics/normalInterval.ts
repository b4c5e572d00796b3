import { INNER_DENOMINATOR, INNER_NUMERATOR, OUTER_DENOMINATOR, OUTER_NUMERATOR } from "../operations/erf.ts";
import { FAR_DENOMINATOR, FAR_NUMERATOR } from "./normalTail.ts";

/** Narrower intervals use the midpoint rule. At this width it and the difference of tails both have a relative error of 1e-11. */
const MAX_NARROW_WIDTH = 1e-5;

/**
 * log(Phi(b) - Phi(a)) for a < b, which may be infinite: the logarithm of the probability of an interval under the standard normal
 * distribution. It is precise in both tails, where the two probabilities are nearly 1 or underflow.
 */
export function logNormalInterval(a: number, b: number): number {
  const [middle, width] = [(a + b) / 2, b - a];
  // By the midpoint rule with an error of (width middle)^2 / 24. The difference of the tails of a narrow interval would cancel.
  if (width * Math.max(1, Math.abs(middle)) < MAX_NARROW_WIDTH)
    return Math.log(width / Math.sqrt(2 * Math.PI)) - 0.5 * middle * middle;
  if (b <= 0) return logNormalInterval(-b, -a);
  if (a < 0) return Math.log1p(-Math.exp(logUpperTail(b)) - Math.exp(logUpperTail(-a)));
  const logTail = logUpperTail(a);
  return logTail + Math.log(-Math.expm1(logUpperTail(b) - logTail));
}

/** log(1 - Phi(u)) for u >= 0. */
const logUpperTail = (u: number): number => Math.log(0.5 * scaledErfc(u * Math.SQRT1_2)) - 0.5 * u * u;

/** exp(t^2) erfc(t) for t >= 0, by the approximations of Cody (1969) as in `normalTails`, which computes tensors. */
function scaledErfc(t: number): number {
  if (t < 0.46875) {
    const square = t * t;
    const erf = (t * polynomial(square, INNER_NUMERATOR)) / polynomial(square, INNER_DENOMINATOR);
    return Math.exp(square) * (1 - erf);
  }
  if (t < 4) return polynomial(t, OUTER_NUMERATOR) / polynomial(t, OUTER_DENOMINATOR);
  const square = 1 / (t * t);
  const correction = (square * polynomial(square, FAR_NUMERATOR)) / polynomial(square, FAR_DENOMINATOR);
  return (1 / Math.sqrt(Math.PI) - correction) / t;
}

const polynomial = (x: number, coefficients: readonly number[]): number =>
  coefficients.reduce((sum, c) => sum * x + c);
