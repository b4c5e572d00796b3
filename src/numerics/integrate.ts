import { vjp } from "../graph/grad.ts";
import { loop } from "../graph/loop.ts";
import { isInput } from "../graph/operations/source.ts";
import { capturedBy, placeholder, substitute } from "../graph/substitute.ts";
import { concat, epsilon, filled, type Tensor } from "../graph/tensor.ts";
import { ancestors } from "../graph/traversal.ts";
import { withGradient } from "../graph/withGradient.ts";
import { dormandPrince, type Tableau } from "./tableau.ts";

/** dy/dt at time t [N, 1] and state y [N, S], in the shape of y. */
export type VectorField = (t: Tensor, y: Tensor) => Tensor;

/** Options of `integrate`. */
export interface IntegrateOptions {
  /** The time of the initial state. */
  readonly from: number;
  /** The time of the result. It may be before `from`. */
  readonly to: number;
  /** Error of a step, relative above 1 and absolute below. Default epsilon^0.7 / 10: 1e-6 in float32, 1e-12 in float64. */
  readonly tolerance?: number;
}

/** More steps than these are a field that no step size satisfies. */
const MAX_STEPS = 5000;
const FIRST_STEP = 0.05;
/** As a share of the whole way. */
const LEAST_STEP = 1e-9;

/**
 * y(to) of the initial value problem dy/dt = field(t, y), y(from) = `initial` [N, S], by the adaptive method of Dormand and
 * Prince. Every row has its own steps, so its result does not depend on the rows beside it. A row whose step would have
 * to become less than 1e-9 of the way ends as NaN.
 *
 * Its gradient is that of the adjoint equation, integrated backward beside the state (Chen et al. 2018, "Neural ordinary
 * differential equations"); integrals over parameters do not choose the steps (Kidger et al. 2021, "Hey, that's not an
 * ODE").
 */
export function integrate(field: VectorField, initial: Tensor, options: IntegrateOptions): Tensor {
  const time = placeholder([...initial.shape.slice(0, 1), 1]);
  const state = placeholder(initial.shape);
  const derivative = field(time, state);
  const learned = capturedBy([derivative], [time, state]).filter(dependsOnInput);
  // Some may be made of others: each has the gradient of its own occurrences, and passes it on outside.
  const fixed = learned.map((tensor) => tensor.stopGradient());
  const at = (t: Tensor, y: Tensor) =>
    substitute(
      [derivative],
      new Map([[time, t], [state, y], ...learned.map((tensor, i): [Tensor, Tensor] => [tensor, fixed[i]])]),
    )[0];
  const [end] = march(at, initial, options);
  return withGradient(end, [initial, ...learned], (g) => {
    const backward = { ...options, from: options.to, to: options.from };
    return adjoint(at, end.stopGradient(), g, fixed, backward);
  });
}

/** Whether a tensor depends on an input or a parameter other than through `stopGradient`. */
const dependsOnInput = (tensor: Tensor): boolean =>
  ancestors([tensor], { has: ({ operation }) => operation.stopsGradient === true }).some(isInput);

/** Gradients with respect to the initial state and to what the field was `learned` from. */
function adjoint(
  at: VectorField,
  end: Tensor,
  g: Tensor,
  learned: readonly Tensor[],
  options: IntegrateOptions,
): Tensor[] {
  const size = end.shape[1] as number;
  const split = (joined: Tensor) => joined.split(1, [size, size]).map((part) => part.stopGradient());
  // d a / dt = -a df/dy along the way back.
  const field: VectorField = (t, joined) => {
    const [y, a] = split(joined);
    const derivative = at(t, y);
    return concat([derivative, vjp([derivative], [y], [a])[0].neg()], 1);
  };
  const integrals = {
    initial: learned.map(({ shape }) => filled(0, shape)),
    increments: (stages: readonly Stage[]) =>
      stages
        .map(({ t, y: joined, weight }) => {
          const [y, a] = split(joined);
          return vjp([at(t, y)], learned, [a.mul(weight).neg()]);
        })
        .reduce((total, part) => total.map((sum, i) => sum.add(part[i]))),
  };
  const [joined, ...sums] = march(
    field,
    concat([end, g], 1),
    options,
    learned.length > 0 ? integrals : undefined,
  );
  return [joined.slice(1, size, 2 * size), ...sums];
}

/** A point of a step, and what its derivative counts for in the integral over the step, a number for each row. */
interface Stage {
  readonly t: Tensor;
  readonly y: Tensor;
  readonly weight: Tensor;
}

/** Integrals along the way: the sum over steps of `increments`, which sum over rows. */
interface Integrals {
  readonly initial: readonly Tensor[];
  increments(stages: readonly Stage[]): readonly Tensor[];
}

/** The state at the end, then the integrals. */
function march(
  field: VectorField,
  initial: Tensor,
  { from, to, tolerance }: IntegrateOptions,
  integrals: Integrals = { initial: [], increments: () => [] },
): Tensor[] {
  const tableau = dormandPrince;
  const column = [...initial.shape.slice(0, 1), 1];
  // Rounding alone makes errors of a few epsilons.
  const allowed =
    tolerance === undefined ? epsilon().power(0.7).mul(0.1) : epsilon().mul(8).maximum(tolerance);
  // The way is measured by s from 0 to 1, so that steps are positive in both directions.
  const along: VectorField = (s, y) => field(s.mul(to - from).add(from), y).mul(to - from);
  const start = filled(0, column);
  const [y, s, , , ...sums] = loop(
    [initial, start, filled(FIRST_STEP, column), along(start, initial), ...integrals.initial],
    ([y, s, wanted, first, ...sums]) => {
      const left = s.neg().add(1);
      const step = wanted.minimum(left);
      const { value, error, last, stages } = rungeKuttaStep(tableau, along, s, y, step, first);
      const scale = y.abs().maximum(value.abs()).maximum(1).mul(allowed);
      const excess = error.div(scale).square().mean(1, { keepAxes: true }).sqrt();
      const good = excess.lessEqual(1);
      const change = excess
        .maximum(1e-8)
        .power(-1 / tableau.order)
        .mul(0.9)
        .minimum(5);
      // A NaN compares as false, and takes the shortest.
      const factor = change.greater(0.2).where(change, 0.2);
      const moves = good.and(left.greater(0));
      const ended = step.greaterEqual(left);
      const nextS = moves.where(ended.where(1, s.add(step)), s);
      const next = left.greater(0).where(step.mul(factor), wanted);
      const open = nextS.less(1).and(next.greater(LEAST_STEP));
      const weighted = stages.flatMap(({ t, y }, i) => {
        const b = tableau.weights[i] * (to - from);
        return b === 0 ? [] : [{ t: t.mul(to - from).add(from), y, weight: moves.where(step.mul(b), 0) }];
      });
      const added = integrals.increments(weighted);
      return {
        state: [
          moves.where(value, y),
          nextS,
          next,
          moves.where(last, first),
          ...sums.map((sum, i) => sum.add(added[i])),
        ],
        proceed: open.toFloat().max().greater(0),
      };
    },
    { maxIterations: MAX_STEPS },
  );
  return [s.greaterEqual(1).where(y, Number.NaN), ...sums];
}

/**
 * One step of size h [N, 1] from y [N, S] at time t [N, 1], where the derivative is `first`: the value after it, the
 * estimate of its error, the derivative at its last stage, and its stages.
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
