import { vjp } from "../graph/grad.ts";
import { loop } from "../graph/loop.ts";
import { constantValues } from "../graph/operations/source.ts";
import { capturedBy, placeholder, substitute } from "../graph/substitute.ts";
import { epsilon, filled, type Tensor } from "../graph/tensor.ts";
import { withGradient } from "../graph/withGradient.ts";

/** A value with the logarithm of the derivative that led there; both elementwise. */
interface Mapped {
  readonly value: Tensor;
  readonly logDerivative: Tensor;
}

/**
 * 128 doublings go beyond float32. Bisection alone needs as many turns as a number has bits, and a Newton step that fails
 * costs one more.
 */
const MAX_ITERATIONS = 288;

/**
 * The x with f(x) = y, elementwise, for f increasing and differentiable; `logDerivative` is that of the inverse, -log f'(x).
 *
 * From `start` (y itself if absent) x goes towards the solution in steps that double, until two values hold it between
 * them. There Newton's method runs, and bisects where a step leaves the bracket or does not halve the residual, until a
 * step is below the rounding of the precision: a solution to machine precision for every continuous f. An element that is
 * done stays as it is, so the result of a row does not depend on the rows beside it. Where no bracket is found the result
 * is NaN, which training and `Flow` report; it never saturates.
 *
 * Gradients follow from the implicit function theorem: dx/dy = 1 / f'(x), dx/dtheta = -(df/dtheta) / f'(x).
 */
export function solveIncreasing(f: (x: Tensor) => Mapped, y: Tensor, start: Tensor = y): Mapped {
  const solution = search(f, y, start);
  const last = f(solution);
  const polished = solution.sub(last.value.sub(y).mul(last.logDerivative.neg().exp()));
  const x = implicit(
    polished,
    (x) => f(x).value,
    y,
    (g, x) => g.mul(f(x).logDerivative.neg().exp()),
  );
  return { value: x, logDerivative: f(x).logDerivative.neg() };
}

/**
 * The x with f(x) = y that was `found`, with the gradients of the implicit function theorem: that of y is w = (df/dx)^-T g,
 * which `solve` gives for x, and that of what else f was made of is -(df/dtheta)^T w. They are functions of x itself, so
 * derivatives of any order are right.
 */
export function implicit(
  found: Tensor,
  f: (x: Tensor) => Tensor,
  y: Tensor,
  solve: (g: Tensor, x: Tensor) => Tensor,
): Tensor {
  const at = placeholder(found.shape);
  const traced = f(at);
  const learned = capturedBy([traced], [at]).filter((tensor) => !constantValues(tensor));
  // Some may be made of others: each has the gradient of its own occurrences, and passes it on outside.
  const own = learned.map(({ shape }) => placeholder(shape));
  const [value] = substitute([traced], pairs(learned, own));
  const x = withGradient(found, [y, ...learned], (g) => {
    const w = solve(g, x);
    const weight = placeholder(y.shape);
    const others = vjp([value], own, [weight]);
    return [w, ...substitute(others, pairs([at, weight, ...own], [x, w.neg(), ...learned]))];
  });
  return x;
}

const pairs = (from: readonly Tensor[], to: readonly Tensor[]) =>
  new Map(from.map((tensor, i): [Tensor, Tensor] => [tensor, to[i]]));

/** Bracketing and Newton's method are one loop: f is the larger part of a graph, and this has it once. */
function search(f: (x: Tensor) => Mapped, y: Tensor, start: Tensor): Tensor {
  const all = (value: number) => filled(value, y.shape);
  const [solution, low, high] = loop(
    [start.broadcastTo(y.shape), all(-INFINITE), all(INFINITE), all(1), all(INFINITE), all(0)],
    ([x, low, high, width, before, done]) => {
      const { value, logDerivative } = f(x);
      const residual = value.sub(y);
      const nextLow = residual.lessEqual(0).where(x, low);
      const nextHigh = residual.greaterEqual(0).where(x, high);
      const held = bracketed(nextLow, nextHigh);
      const newton = x.sub(residual.mul(logDerivative.neg().exp()));
      const trusted = newton
        .greater(nextLow)
        .and(newton.less(nextHigh))
        .and(residual.abs().lessEqual(before.mul(0.5)));
      const inside = trusted.where(newton, nextLow.add(nextHigh).mul(0.5));
      const outside = x.sub(width.mul(residual.sign()));
      const tolerance = x.abs().maximum(1).mul(epsilon().mul(2));
      const small = newton.sub(x).abs().lessEqual(tolerance).or(nextHigh.sub(nextLow).lessEqual(tolerance));
      const found = held.and(small);
      const still = done.greater(0);
      // What is NaN or infinite is not worth another turn.
      const open = found.or(still).not().and(x.abs().less(INFINITE)).and(y.equal(y)).toFloat();
      return {
        state: [
          still.or(found).where(x, held.where(inside, outside)),
          nextLow,
          nextHigh,
          width.mul(2),
          residual.abs(),
          done.maximum(found.toFloat()),
        ],
        proceed: open.max().greater(0),
      };
    },
    { maxIterations: MAX_ITERATIONS },
  );
  return bracketed(low, high).where(solution, Number.NaN);
}

const INFINITE = Number.POSITIVE_INFINITY;

const bracketed = (low: Tensor, high: Tensor): Tensor => low.greater(-INFINITE).and(high.less(INFINITE));
