import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../../description.ts";
import { constant, scalar, type Tensor } from "../../graph/tensor.ts";
import { withGradient } from "../../graph/withGradient.ts";
import type { ScalarTransformed } from "./scalarTransform.ts";

/** Bound of logarithms of slopes; sizes of bins have half of it, so that the widest is about 1000 times the thinnest. */
export const LOG_SLOPE_BOUND = Math.log(1000);

/** Options that splines on a box have in common. */
export const splineOptions = {
  /** K; a single bin would be the identity. */
  bins: z._default(sizeSchema.check(z.minimum(2)), 8),
  /** B */
  bound: z._default(positiveSchema, 5),
  /** `linear`: the identity outside of [-B, B]. `none`: data lie in [-B, B], and slopes at its ends are free. */
  tails: z._default(z.enum(["linear", "none"]), "linear"),
};

/** Monotonic splines on [-B, B]: Durkan et al. 2019 (rational-quadratic and cubic), Müller et al. 2019 (linear and quadratic). */
export interface MonotonicSplineOptions {
  type: "cubicSpline" | "linearSpline" | "quadraticSpline" | "rationalQuadraticSpline";
  /** K, the number of bins, at least 2. Default 8. */
  bins?: number;
  /** B, in the units of x. Default 5. */
  bound?: number;
  /** `linear`: the identity outside of [-B, B]. `none`: data lie in [-B, B], and slopes at its ends are free. Default `linear`. */
  tails?: "linear" | "none";
}

/** The options that splines have in common, with their defaults. */
export interface SplineSettings {
  readonly bins: number;
  readonly bound: number;
  readonly tails: "linear" | "none";
}

/** The bin that holds each element [D, N], seen along the axis that the element lies on (`from`) and the other one (`to`). */
export interface Bin {
  /** Where the element lies in the box: elsewhere all that follows is that of another point. */
  readonly inside: Tensor;
  /** The part of the bin that lies above the element, in [0, 1]. */
  readonly above: Tensor;
  readonly fromSize: Tensor;
  readonly toSize: Tensor;
  /** The upper end of the bin on the other axis. */
  readonly toEnd: Tensor;
  /**
   * Of numbers [D, J, N] that belong to bins, that of the element's: number j belongs to bin `binOf(j)`, and counts for none
   * where there is no such bin; a bin without a number has 0.
   */
  pick(values: Tensor, binOf?: (j: number) => number): Tensor;
}

/**
 * Finds the bins of u [D, N] among K bins [D, K, N] whose sizes are given on both axes, up to a factor for each axis: they
 * fill [-B, B]. `closed` counts the ends B and -B as inside.
 *
 * Bins are found by comparisons instead of a search, so that the map runs wherever ONNX does. Work on all K bins costs ten
 * times what work on the chosen one does, so there is as little of it as possible.
 */
export function findBin(
  u: Tensor,
  { from, to, bound, closed }: { from: Tensor; to: Tensor; bound: number; closed: boolean },
): Bin {
  const bins = binCount(from);
  // A softmax would divide all sizes by their sum: here these do it for the chosen bin alone.
  const fromUnit = scalar(2 * bound).div(sumOverBins(from));
  const toUnit = scalar(2 * bound).div(sumOverBins(to));

  // Outside the box the argument is replaced before the formula and the result after it, so gradients stay finite.
  const inside = closed ? u.abs().lessEqual(bound) : u.abs().less(bound);
  const safe = inside.where(u, 0);

  // 1 up to the bin that holds u, so that the difference of neighbours is 1 at that bin alone. Running sums and differences
  // are products with constant matrices: several times faster than the operations that shift or add along a short axis.
  const left = matrix(bins, bins, (edge, k) => +(k < edge)).matmul(from);
  const distance = safe.add(bound).div(fromUnit);
  const [features, rows] = distance.shape;
  const reached = distance.reshape([features, 1, rows]).greaterEqual(left).toFloat();
  const pick: Bin["pick"] = (values, binOf = (j) => j) => {
    const holds = (j: number, k: number) => {
      const bin = binOf(j);
      return bin < 0 ? 0 : +(k === bin) - +(k === bin + 1);
    };
    return sumOverBins(values.mul(matrix(binCount(values), bins, holds).matmul(reached)));
  };

  // Half of what is reached less half of what is not: an end counted from the middle, where most data are, rounds less.
  const halves = reached.sub(0.5);
  const fromSize = pick(from).mul(fromUnit);
  const fromEnd = sumOverBins(from.mul(halves)).mul(fromUnit);
  const toSize = pick(to).mul(toUnit);
  const toEnd = sumOverBins(to.mul(halves)).mul(toUnit);
  return { inside, above: clampToUnit(fromEnd.sub(safe).div(fromSize)), fromSize, toSize, toEnd, pick };
}

/** K, for what bins have: [D, K, N]. */
export const binCount = (values: Tensor): number => values.shape[1] as number;

/** The sum over bins, [D, K, N] -> [D, N]. */
export const sumOverBins = (values: Tensor): Tensor => values.sum(1);

/** Positive sizes [D, K, N] from raw numbers; the clamp bounds them, so no largest one need be taken out first. */
export const binSizes = (raw: Tensor): Tensor => raw.softClamp(LOG_SLOPE_BOUND / 2).exp();

/**
 * What a spline gives for elements in the box, completed outside: the identity for linear tails; without tails nothing is
 * there, so the log-derivative is -Infinity, and the value stays as it is.
 */
export function extendOutsideBox(
  u: Tensor,
  inside: Tensor,
  { value, logDerivative }: ScalarTransformed,
  { bound, tails }: Pick<SplineSettings, "bound" | "tails">,
): ScalarTransformed {
  if (tails === "linear")
    return { value: inside.where(value, u), logDerivative: inside.where(logDerivative, 0) };
  return {
    value: inside.where(clampToBox(value, bound), u),
    logDerivative: inside.where(logDerivative, Number.NEGATIVE_INFINITY),
  };
}

/** Rounding can put a point of a thin bin outside: its value is moved to the edge, and its gradient kept. */
export const clampToUnit = (part: Tensor): Tensor => clampWithGradient(part, 0, 1);

/** For slope number j: the bin that it is the lower and the upper end of, among K bins. */
export interface SlopePlacement {
  lowerEndOf(j: number, bins: number): number;
  upperEndOf(j: number, bins: number): number;
}

/** Where slopes stand: at inner ends of bins alone, since linear tails say what the outer ones are, or at all ends. */
export const SLOPE_PLACEMENT: Readonly<Record<SplineSettings["tails"], SlopePlacement>> = {
  linear: { lowerEndOf: (j) => j + 1, upperEndOf: (j) => j },
  none: { lowerEndOf: (j) => j, upperEndOf: (j) => j - 1 },
};

/** Moves what rounding has put outside of [-bound, bound], in the same way. */
export const clampToBox = (value: Tensor, bound: number): Tensor => clampWithGradient(value, -bound, bound);

const clampWithGradient = (x: Tensor, low: number, high: number): Tensor =>
  withGradient(x.maximum(low).minimum(high), [x], (g) => [g]);

export const matrix = (
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor =>
  constant(
    Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
    [rows, columns],
  );
