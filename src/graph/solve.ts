import { epsilon, loop } from "./loop.ts";
import { filled, type Tensor } from "./tensor.ts";

/** A value with the logarithm of the derivative that led there; both elementwise. */
interface Mapped {
  readonly value: Tensor;
  readonly logDerivative: Tensor;
}

/** 2^128 is beyond float32; a function that is not increasing or has no such value ends here. */
const MOST_DOUBLINGS = 128;
/** Bisection alone needs as many turns as a number has bits, and a Newton step that fails costs one more. */
const MOST_STEPS = 160;

/**
 * The x with f(x) = y, elementwise, for f increasing and differentiable; `logDerivative` is that of the inverse, -log f'(x).
 *
 * A bracket around `start` (y itself if absent) is widened by doubling until it holds the solution. Inside of it Newton's
 * method runs, and bisects where a step leaves the bracket or does not halve the residual, until a step is below the
 * rounding of the precision: a solution to machine precision for every continuous f. An element that is done stays as it
 * is, so the result of a row does not depend on the rows beside it. Where no bracket is found the result is NaN, which
 * training and `Flow` report; it never saturates.
 *
 * Gradients follow from the implicit function theorem: dx/dy = 1 / f'(x), dx/dtheta = -(df/dtheta) / f'(x).
 */
export function solveIncreasing(f: (x: Tensor) => Mapped, y: Tensor, start: Tensor = y): Mapped {
  const solution = polish(f, y, bracket(f, y, start));
  // One more step of Newton's, which has the gradient.
  const last = f(solution);
  const slope = last.logDerivative.exp().stopGradient();
  const x = solution.sub(last.value.sub(y).div(slope));
  return { value: x, logDerivative: f(x).logDerivative.neg() };
}

interface Bracket {
  readonly low: Tensor;
  readonly high: Tensor;
}

function bracket(f: (x: Tensor) => Mapped, y: Tensor, start: Tensor): Bracket {
  const ends = (width: Tensor) => {
    const [low, high] = [start.sub(width), start.add(width)];
    return { low, high, holds: f(low).value.lessEqual(y).and(f(high).value.greaterEqual(y)) };
  };
  const [width] = loop(
    [filled(1, y.shape)],
    ([width]) => {
      const { holds } = ends(width);
      // A NaN in y is never held: it need not be looked for.
      const missing = holds.not().and(y.equal(y)).toFloat();
      return { state: [width.add(width.mul(missing))], proceed: missing.max().greater(0) };
    },
    { most: MOST_DOUBLINGS },
  );
  const { low, high, holds } = ends(width);
  return { low: holds.where(low, Number.NaN), high: holds.where(high, Number.NaN) };
}

function polish(f: (x: Tensor) => Mapped, y: Tensor, { low, high }: Bracket): Tensor {
  const middle = low.add(high).mul(0.5);
  const [solution] = loop(
    [middle, low, high, filled(Number.POSITIVE_INFINITY, y.shape), filled(0, y.shape)],
    ([x, low, high, before, done]) => {
      const { value, logDerivative } = f(x);
      const residual = value.sub(y);
      const above = residual.greater(0);
      const [nextLow, nextHigh] = [above.where(low, x), above.where(x, high)];
      const newton = x.sub(residual.mul(logDerivative.neg().exp()));
      const trusted = newton
        .greater(nextLow)
        .and(newton.less(nextHigh))
        .and(residual.abs().lessEqual(before.mul(0.5)));
      const candidate = trusted.where(newton, nextLow.add(nextHigh).mul(0.5));
      const tolerance = x.abs().maximum(1).mul(epsilon().mul(2));
      const small = newton.sub(x).abs().lessEqual(tolerance).or(nextHigh.sub(nextLow).lessEqual(tolerance));
      const still = done.greater(0);
      // A NaN is neither small nor worth another turn.
      const open = small.or(still).not().and(x.equal(x)).toFloat();
      return {
        state: [
          still.where(x, small.where(x, candidate)),
          nextLow,
          nextHigh,
          residual.abs(),
          done.maximum(small.toFloat()),
        ],
        proceed: open.max().greater(0),
      };
    },
    { most: MOST_STEPS },
  );
  return solution;
}
