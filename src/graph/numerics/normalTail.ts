import { INNER_DENOMINATOR, INNER_NUMERATOR, OUTER_DENOMINATOR, OUTER_NUMERATOR } from "../operations/erf.ts";
import type { Tensor } from "../tensor.ts";
import { polynomial } from "./polynomial.ts";

/**
 * Tail probabilities of the standard normal distribution: log Q(u) and log Q(-u) with Q(u) = 1 - Phi(u), and the hazard functions
 * phi / Q at u and at -u. They are precise to rounding for |u| up to the square root of the largest number: nothing cancels,
 * underflows or overflows.
 */
export interface NormalTails {
  readonly logUpper: Tensor;
  readonly logLower: Tensor;
  readonly upperHazard: Tensor;
  readonly lowerHazard: Tensor;
}

/** The tail probabilities and hazards at each element of u. */
export function normalTails(u: Tensor): NormalTails {
  const positive = u.greaterEqual(0);
  // |u|, but with gradient 1 at 0, where that of `abs` is 0.
  const magnitude = positive.where(u, u.neg());
  const scaled = scaledErfc(magnitude.mul(Math.SQRT1_2));
  const exponent = magnitude.square().mul(-0.5);
  // log Q(|u|) = -u^2 / 2 + log(exp(t^2) erfc(t) / 2) with t = |u| / sqrt(2), and log Q(-|u|) = log(1 - Q(|u|)).
  const logTail = exponent.add(scaled.mul(0.5).log());
  const logComplement = logTail.exp().neg().log1p();
  const tailHazard = scaled.reciprocal().mul(Math.sqrt(2 / Math.PI));
  const complementHazard = exponent
    .sub(logComplement)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));
  return {
    logUpper: positive.where(logTail, logComplement),
    logLower: positive.where(logComplement, logTail),
    upperHazard: positive.where(tailHazard, complementHazard),
    lowerHazard: positive.where(complementHazard, tailHazard),
  };
}

/**
 * The u >= 0 with log Q(u) = `logTail`, for logTail <= log 1/2, and the hazard at u. A rational approximation with an error of
 * 4.5e-4 (Abramowitz and Stegun, 26.2.23) is refined by a step of Halley's method, which cubes the error, and a step of
 * Newton's method, which squares it and through which the gradient flows.
 */
export function normalTailQuantile(logTail: Tensor): { value: Tensor; hazard: Tensor } {
  const t = logTail.mul(-2).sqrt();
  const ratio = polynomial(t, [0.010328, 0.802853, 2.515517]).div(
    polynomial(t, [0.001308, 0.189269, 1.432788, 1]),
  );
  const start = t.sub(ratio).maximum(0);
  const first = newtonStep(start, logTail);
  const halleyStep = first.step.div(first.hazardChange.mul(0.5).add(1));
  const u = start.add(halleyStep).stopGradient();
  const { step, hazard, hazardChange } = newtonStep(u, logTail);
  return { value: u.add(step), hazard: hazard.mul(hazardChange.add(1)) };
}

/** A Newton step for log Q(u) = `logTail` from u >= 0, the hazard at u, and the relative change of the hazard over the step. */
function newtonStep(u: Tensor, logTail: Tensor): { step: Tensor; hazard: Tensor; hazardChange: Tensor } {
  const { logTail: logTailAtU, hazard } = upperTail(u);
  const step = logTailAtU.sub(logTail).div(hazard);
  return { step, hazard, hazardChange: step.mul(hazard.sub(u)) };
}

/** log Q(u) and the hazard for u >= 0. */
function upperTail(u: Tensor): { logTail: Tensor; hazard: Tensor } {
  const scaled = scaledErfc(u.mul(Math.SQRT1_2));
  return {
    logTail: u.square().mul(-0.5).add(scaled.mul(0.5).log()),
    hazard: scaled.reciprocal().mul(Math.sqrt(2 / Math.PI)),
  };
}

/**
 * exp(t^2) erfc(t) for t >= 0, by rational approximations with a relative error of 1e-16: W. J. Cody, "Rational Chebyshev
 * approximations for the error function", Mathematics of Computation 23, 1969.
 */
function scaledErfc(t: Tensor): Tensor {
  const low = t.minimum(0.46875);
  const lowSquare = low.square();
  const erf = low.mul(polynomial(lowSquare, INNER_NUMERATOR)).div(polynomial(lowSquare, INNER_DENOMINATOR));
  const inner = lowSquare.exp().mul(erf.neg().add(1));
  const middle = t.maximum(0.46875).minimum(4);
  const outer = polynomial(middle, OUTER_NUMERATOR).div(polynomial(middle, OUTER_DENOMINATOR));
  const high = t.maximum(4);
  const inverse = high.reciprocal();
  const square = inverse.square();
  const correction = square.mul(polynomial(square, FAR_NUMERATOR)).div(polynomial(square, FAR_DENOMINATOR));
  const far = inverse.mul(correction.neg().add(1 / Math.sqrt(Math.PI)));
  return t.less(0.46875).where(inner, t.less(4).where(outer, far));
}

// Coefficients in 1 / t^2 for t > 4, highest power first.
export const FAR_NUMERATOR = [
  0.0163153871373021, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
  0.0006587491615298378,
];
export const FAR_DENOMINATOR = [
  1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];
