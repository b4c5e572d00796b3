import { vjp } from "../grad.ts";
import { loop } from "../loop.ts";
import { constantValues } from "../operations/source.ts";
import { capturedBy, placeholder, substitute } from "../substitute.ts";
import { epsilon, filled, type Tensor } from "../tensor.ts";
import { withGradient } from "../withGradient.ts";

/** The values of an elementwise function and the logarithms of its derivatives. */
interface ValueAndLogDerivative {
  readonly value: Tensor;
  readonly logDerivative: Tensor;
}

/**
 * A limit that solutions rarely need. In float32 it allows 128 doublings until the bracket contains the solution, one bisection per bit,
 * and one more iteration for each Newton step that fails. In float64 it suffices for solutions below about 1e60.
 */
const MAX_ITERATIONS = 288;

/**
 * Solves f(x) = y for x, elementwise, for an increasing and differentiable f. Returns x and the log-derivative of the inverse
 * function, -log f'(x). `f` must return f(x) and log f'(x); y and the results have the same shape.
 *
 * The search begins at `start` (default y) and doubles its steps until two values bracket the solution. Then it takes Newton
 * steps, or a bisection if a Newton step leaves the bracket or the residual was not halved, until a step is below the rounding
 * error of the precision. Converged elements do not change any more, so a row does not depend on the other rows. Where there is
 * no bracket the result is NaN, which training and `Flow` report as an error.
 *
 * Gradients follow from the implicit function theorem: dx/dy = 1 / f'(x), dx/dtheta = -(df/dtheta) / f'(x).
 */
export function solveIncreasing(
  f: (x: Tensor) => ValueAndLogDerivative,
  y: Tensor,
  start: Tensor = y,
): ValueAndLogDerivative {
  const solution = search(f, y, start);
  const atSolution = f(solution);
  // One more Newton step removes most of the error that the stopping rule leaves.
  const polished = solution.sub(atSolution.value.sub(y).mul(atSolution.logDerivative.neg().exp()));
  const x = withImplicitGradient(
    polished,
    (x) => f(x).value,
    y,
    (g, x) => g.mul(f(x).logDerivative.neg().exp()),
  );
  return { value: x, logDerivative: f(x).logDerivative.neg() };
}

/**
 * A solution x of f(x) = y with the gradients of the implicit function theorem. The gradient with respect to y is w =
 * (df/dx)^-T g, which `solve(g, x)` must compute, and that with respect to a tensor theta that f captures is -(df/dtheta)^T w.
 * Both gradients are functions of x, so derivatives of higher order are right too.
 */
export function withImplicitGradient(
  solution: Tensor,
  f: (x: Tensor) => Tensor,
  y: Tensor,
  solve: (g: Tensor, x: Tensor) => Tensor,
): Tensor {
  const argument = placeholder(solution.shape);
  const traced = f(argument);
  const captured = capturedBy([traced], [argument]).filter((tensor) => !constantValues(tensor));
  // A captured tensor may depend on another captured tensor. With placeholders for all of them, each gets only the gradient of its
  // direct uses in f; that of indirect uses is backpropagated through the graph outside of f.
  const placeholders = captured.map(({ shape }) => placeholder(shape));
  const [value] = substitute([traced], pairs(captured, placeholders));
  const x = withGradient(solution, [y, ...captured], (g) => {
    const w = solve(g, x);
    const cotangent = placeholder(y.shape);
    const gradients = vjp([value], placeholders, [cotangent]);
    return [
      w,
      ...substitute(gradients, pairs([argument, cotangent, ...placeholders], [x, w.neg(), ...captured])),
    ];
  });
  return x;
}

const pairs = (from: readonly Tensor[], to: readonly Tensor[]) =>
  new Map(from.map((tensor, i): [Tensor, Tensor] => [tensor, to[i]]));

/** Brackets the solution and refines it, in one loop, so that the ONNX file has f, usually a large graph, only once. */
function search(f: (x: Tensor) => ValueAndLogDerivative, y: Tensor, start: Tensor): Tensor {
  const everywhere = (value: number) => filled(value, y.shape);
  const [solution, low, high] = loop(
    [
      start.broadcastTo(y.shape),
      everywhere(Number.NEGATIVE_INFINITY),
      everywhere(Number.POSITIVE_INFINITY),
      everywhere(1),
      everywhere(Number.POSITIVE_INFINITY),
      everywhere(0),
    ],
    ([x, low, high, width, lastResidual, converged]) => {
      const { value, logDerivative } = f(x);
      const residual = value.sub(y);
      const nextLow = residual.lessEqual(0).where(x, low);
      const nextHigh = residual.greaterEqual(0).where(x, high);
      const hasBracket = isBracket(nextLow, nextHigh);
      const newton = x.sub(residual.mul(logDerivative.neg().exp()));
      const isNewtonSafe = newton
        .greater(nextLow)
        .and(newton.less(nextHigh))
        .and(residual.abs().lessEqual(lastResidual.mul(0.5)));
      const refined = isNewtonSafe.where(newton, nextLow.add(nextHigh).mul(0.5));
      const expanded = x.sub(width.mul(residual.sign()));
      const tolerance = x.abs().maximum(1).mul(epsilon().mul(2));
      const isStepSmall = newton
        .sub(x)
        .abs()
        .lessEqual(tolerance)
        .or(nextHigh.sub(nextLow).lessEqual(tolerance));
      const convergesNow = hasBracket.and(isStepSmall);
      const hasConverged = converged.greater(0);
      // Elements that are NaN or infinite will not converge, so the loop does not wait for them.
      const isPending = convergesNow
        .or(hasConverged)
        .not()
        .and(x.abs().less(Number.POSITIVE_INFINITY))
        .and(y.equal(y))
        .toFloat();
      return {
        state: [
          hasConverged.or(convergesNow).where(x, hasBracket.where(refined, expanded)),
          nextLow,
          nextHigh,
          width.mul(2),
          residual.abs(),
          converged.maximum(convergesNow.toFloat()),
        ],
        proceed: isPending.max().greater(0),
      };
    },
    { maxIterations: MAX_ITERATIONS },
  );
  return isBracket(low, high).where(solution, Number.NaN);
}

const isBracket = (low: Tensor, high: Tensor): Tensor =>
  low.greater(Number.NEGATIVE_INFINITY).and(high.less(Number.POSITIVE_INFINITY));
