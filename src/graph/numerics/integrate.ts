import { checkOptions, finiteNumber, numberAbove, required } from "../../check/index.ts";
import { vjp } from "../grad.ts";
import { loop } from "../loop.ts";
import { stopGradient } from "../operations/elementwise.ts";
import { isInput } from "../operations/source.ts";
import { capturedBy, placeholder, substitute } from "../substitute.ts";
import { concat, epsilon, filled, type Tensor } from "../tensor.ts";
import { ancestors } from "../traversal.ts";
import { withGradient } from "../withGradient.ts";
import { dormandPrince, type Tableau } from "./tableau.ts";

/** dy/dt at time t [N, 1] and state y [N, S], in the shape of y. */
export type VectorField = (t: Tensor, y: Tensor) => Tensor;

/** Options of `integrate`. */
export interface IntegrateOptions {
  /** The time of the initial state. */
  readonly from: number;
  /** The time of the result. It may be before `from`. */
  readonly to: number;
  /**
   * Error allowed in a step: relative where |y| > 1, absolute elsewhere. Default epsilon^0.7 / 10: 1e-6 in float32, 1e-12 in float64. A
   * tolerance below 8 epsilon is raised to 8 epsilon, the size of the rounding errors.
   */
  readonly tolerance?: number | undefined;
}

/** A field that needs more steps than this, for instance because of a singularity, cannot be solved by this method. */
const MAX_STEPS = 5000;
/** Step sizes are fractions of the interval from `from` to `to`. */
const FIRST_STEP = 0.05;
const MIN_STEP = 1e-9;

/**
 * Solves the initial value problem dy/dt = field(t, y), y(from) = `initial` [N, S], and returns y(to) [N, S], by the adaptive
 * Runge-Kutta method of Dormand and Prince. Every row has its own step sizes, so it does not depend on the other rows. A row becomes
 * NaN if it needs a step size below 1e-9 of the interval, or if 5000 attempted steps do not reach the end.
 *
 * The gradient is computed by the adjoint equation, which is integrated backward together with the state (Chen et al. 2018, "Neural
 * ordinary differential equations"). The gradients of parameters are integrals that do not affect the step sizes (Kidger et al. 2021, "Hey,
 * that's not an ODE"), and sums over rows: they are NaN if the backward integration of one row does not reach the start. The gradient
 * cannot be differentiated again.
 *
 * Throws `ARGUMENT` if the options are not valid, such as a tolerance of 0.
 */
export function integrate(field: VectorField, initial: Tensor, options: IntegrateOptions): Tensor {
  checkOptions("integrate", options, {
    from: required(finiteNumber),
    to: required(finiteNumber),
    tolerance: numberAbove(0),
  });
  const time = placeholder([...initial.shape.slice(0, 1), 1]);
  const state = placeholder(initial.shape);
  const derivative = field(time, state);
  const captured = capturedBy([derivative], [time, state]).filter(dependsOnInput);
  // A captured tensor may depend on another captured tensor. With stopped gradients each gets only the gradient of its direct uses
  // in the field; that of indirect uses is backpropagated through the graph outside of the field.
  const stopped = captured.map((tensor) => tensor.stopGradient());
  const fieldAt = (t: Tensor, y: Tensor) =>
    substitute(
      [derivative],
      new Map([
        [time, t],
        [state, y],
        ...captured.map((tensor, i): [Tensor, Tensor] => [tensor, stopped[i]]),
      ]),
    )[0];
  const [end] = solve(fieldAt, initial, options);
  return withGradient(end, [initial, ...captured], (g) => {
    const backward = { ...options, from: options.to, to: options.from };
    return solveAdjoint(fieldAt, end.stopGradient(), g, stopped, backward);
  });
}

/** Whether a tensor depends on an input or a parameter other than through `stopGradient`. */
const dependsOnInput = (tensor: Tensor): boolean =>
  ancestors([tensor], { has: ({ operation }) => operation === stopGradient }).some(isInput);

/**
 * Gradients with respect to the initial state and to the tensors that the field captures, from the gradient g of the end state.
 */
function solveAdjoint(
  field: VectorField,
  end: Tensor,
  g: Tensor,
  captured: readonly Tensor[],
  options: IntegrateOptions,
): Tensor[] {
  const size = end.shape[1] as number;
  const split = (joined: Tensor) => joined.split(1, [size, size]).map((part) => part.stopGradient());
  // The adjoint equation da/dt = -a df/dy, together with that of the state.
  const stateAndAdjoint: VectorField = (t, joined) => {
    const [y, a] = split(joined);
    const derivative = field(t, y);
    return concat([derivative, vjp([derivative], [y], [a])[0].neg()], 1);
  };
  const integrals = {
    initial: captured.map(({ shape }) => filled(0, shape)),
    increments: (stages: readonly Stage[]) =>
      stages
        .map(({ t, y: joined, weight }) => {
          const [y, a] = split(joined);
          return vjp([field(t, y)], captured, [a.mul(weight).neg()]);
        })
        .reduce((total, part) => total.map((sum, i) => sum.add(part[i]))),
  };
  const [joined, ...sums] = solve(
    stateAndAdjoint,
    concat([end, g], 1),
    options,
    captured.length > 0 ? integrals : undefined,
  );
  return [joined.slice(1, size, 2 * size), ...sums];
}

/** A stage of a Runge-Kutta step, and its quadrature weight in the integral over the step, one for each row. */
interface Stage {
  readonly t: Tensor;
  readonly y: Tensor;
  readonly weight: Tensor;
}

/** Integrals over time of sums over rows: `increments` returns what a step adds to each. */
interface Integrals {
  readonly initial: readonly Tensor[];
  increments(stages: readonly Stage[]): readonly Tensor[];
}

/** Integrates from `from` to `to`. Returns the last state, and then the integrals, which are NaN if a row does not reach the end. */
function solve(
  field: VectorField,
  initial: Tensor,
  { from, to, tolerance }: IntegrateOptions,
  integrals: Integrals = { initial: [], increments: () => [] },
): Tensor[] {
  const tableau = dormandPrince;
  const hasIntegrals = integrals.initial.length > 0;
  const column = [...initial.shape.slice(0, 1), 1];
  // Rounding errors are a few epsilons, so no tolerance can be below that.
  const allowedError =
    tolerance === undefined ? epsilon().power(0.7).mul(0.1) : epsilon().mul(8).maximum(tolerance);
  // Time is mapped to s from 0 to 1, so that steps are positive in both directions.
  const scaledField: VectorField = (s, y) => field(s.mul(to - from).add(from), y).mul(to - from);
  const start = filled(0, column);
  const [y, s, , , ...sums] = loop(
    [initial, start, filled(FIRST_STEP, column), scaledField(start, initial), ...integrals.initial],
    ([y, s, stepSize, first, ...sums]) => {
      const remaining = s.neg().add(1);
      const step = stepSize.minimum(remaining);
      const { value, error, last, stages } = rungeKuttaStep(tableau, scaledField, s, y, step, first);
      const scale = y.abs().maximum(value.abs()).maximum(1).mul(allowedError);
      const relativeError = error.div(scale).square().mean(1, { keepAxes: true }).sqrt();
      const isAccurate = relativeError.lessEqual(1);
      const bestFactor = relativeError
        .maximum(1e-8)
        .power(-1 / tableau.order)
        .mul(0.9)
        .minimum(5);
      // The step is multiplied by 0.9 error^(-1 / 5), but by 0.2 at least and by 5 at most (Hairer, Norsett and Wanner, "Solving
      // ordinary differential equations I", II.4). A comparison with NaN is false, so the step becomes shorter after a NaN.
      const factor = bestFactor.greater(0.2).where(bestFactor, 0.2);
      const isUnfinished = remaining.greater(0);
      // Integrals are sums over rows, and 0 times an overflow in a rejected step would make them NaN. So no row advances in an
      // iteration with an overflow, and the next one repeats the steps of the other rows.
      const overflows = relativeError.less(Number.POSITIVE_INFINITY).not();
      const canShorten = isUnfinished.and(step.mul(factor).greater(MIN_STEP));
      const isRepeated = hasIntegrals ? overflows.and(canShorten).toFloat().max().greater(0) : undefined;
      const isAccepted = without(isAccurate.and(isUnfinished), isRepeated);
      const reachesEnd = step.greaterEqual(remaining);
      const nextS = isAccepted.where(reachesEnd.where(1, s.add(step)), s);
      const changesStep = without(isUnfinished, isRepeated?.and(isAccurate));
      const nextStepSize = changesStep.where(step.mul(factor), stepSize);
      const continues = nextS.less(1).and(nextStepSize.greater(MIN_STEP));
      const weighted = stages.flatMap(({ t, y }, i) => {
        const b = tableau.weights[i] * (to - from);
        return b === 0
          ? []
          : [{ t: t.mul(to - from).add(from), y, weight: isAccepted.where(step.mul(b), 0) }];
      });
      const added = integrals.increments(weighted);
      return {
        state: [
          isAccepted.where(value, y),
          nextS,
          nextStepSize,
          isAccepted.where(last, first),
          ...sums.map((sum, i) => isRepeated!.where(sum, sum.add(added[i]))),
        ],
        proceed: continues.toFloat().max().greater(0),
      };
    },
    { maxIterations: MAX_STEPS },
  );
  const isUnfinished = s.less(1);
  const isIncomplete = isUnfinished.toFloat().max().greater(0);
  return [isUnfinished.where(Number.NaN, y), ...sums.map((sum) => isIncomplete.where(Number.NaN, sum))];
}

/** Whether `condition` is true and `exception` is not; an undefined exception is never true. */
const without = (condition: Tensor, exception: Tensor | undefined): Tensor =>
  exception ? condition.and(exception.not()) : condition;

/**
 * A step of size h [N, 1] from y [N, S] at time t [N, 1], where the derivative is `first`. Returns the new value, the estimated
 * error, the derivative at the last stage, and the stages.
 */
export function rungeKuttaStep(
  tableau: Tableau,
  field: VectorField,
  t: Tensor,
  y: Tensor,
  h: Tensor,
  first: Tensor = field(t, y),
) {
  const derivatives: Tensor[] = [];
  const combine = (weights: readonly number[]): Tensor =>
    weights
      .flatMap((w, i) => (w === 0 ? [] : [derivatives[i].mul(w)]))
      .reduce((total, part) => total.add(part))
      .mul(h);
  const stages = tableau.nodes.map((c, i) => {
    const stage = i === 0 ? { t, y } : { t: t.add(h.mul(c)), y: y.add(combine(tableau.stages[i])) };
    derivatives.push(i === 0 ? first : field(stage.t, stage.y));
    return stage;
  });
  return {
    value: y.add(combine(tableau.weights)),
    error: combine(tableau.errorWeights),
    last: derivatives[derivatives.length - 1],
    stages,
  };
}
