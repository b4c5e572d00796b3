import * as z from "zod/mini";
import { constantMatrix, scalar, type Tensor, withGradient } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import { positiveSchema, sizeSchema } from "../../parts/index.ts";
import type { ScalarTransformed } from "./scalarTransform.ts";

/** Graphs of splines have constants [K, K], so their memory grows with the square of the number of bins. */
const MAX_BINS = 1024;

/** Schema fields that all splines on [-B, B] have in common. */
export const splineOptions = {
  /** K. A single bin would be the identity. */
  bins: z._default(sizeSchema.check(z.minimum(2), z.maximum(MAX_BINS)), 8),
  /** B */
  bound: z._default(positiveSchema, 5),
  tails: z._default(z.enum(["linear", "none"]), "linear"),
};

/** Monotonic splines on [-B, B]: Durkan et al. 2019 (rational-quadratic and cubic), Müller et al. 2019 (linear and quadratic). */
export interface MonotonicSplineOptions {
  type: "cubicSpline" | "linearSpline" | "quadraticSpline" | "rationalQuadraticSpline";
  /** K, the number of bins, at least 2 and at most 1024. Default 8. */
  bins?: number | undefined;
  /** B, in the units of x. Default 5. */
  bound?: number | undefined;
  /** `linear`: the identity outside [-B, B]. `none`: data lie in [-B, B], and the slopes at its ends are free. Default `linear`. */
  tails?: "linear" | "none" | undefined;
}

/** Options of a spline, with defaults filled in. */
export interface SplineSettings {
  readonly bins: number;
  readonly bound: number;
  readonly tails: "linear" | "none";
}

/**
 * The bin that each element [D, N] lies in. `from` is the axis of the elements and `to` the other one: x and z in the density
 * direction, z and x in the sampling direction.
 */
export interface Bin {
  /** Whether the element is in [-B, B]; where it is not, the other fields describe the bin of 0 instead. */
  readonly inside: Tensor;
  /** The fraction of the bin above the element, in [0, 1]. */
  readonly above: Tensor;
  /** The sizes of the bin on both axes. */
  readonly fromSize: Tensor;
  readonly toSize: Tensor;
  /** The upper end of the bin on the `to` axis. */
  readonly toEnd: Tensor;
  /**
   * Selects from values [D, J, N], of which value j belongs to bin `binOf(j)`, the value of each element's bin. The result is 0
   * if the bin has no value. Values with a `binOf` outside of 0 ... K - 1 are ignored.
   */
  pick(values: Tensor, binOf?: (j: number) => number): Tensor;
}

/**
 * Finds the bin of each element u [D, N]. `from` and `to` are the sizes of K bins on both axes, [D, K, N], up to a factor for
 * each axis, which is chosen such that the bins fill [-B, B]. With `closed`, the ends -B and B count as inside.
 *
 * Bins are found by comparing u with all bin edges, since ONNX has no binary search. An operation on all K bins costs about ten
 * times one on the selected bin, so the selection comes as early as possible.
 */
export function findBin(
  u: Tensor,
  { from, to, bound, closed }: { from: Tensor; to: Tensor; bound: number; closed: boolean },
): Bin {
  const bins = binCount(from);
  // The factors that normalize the softmax are applied to the selected bin instead of to all bins.
  const fromUnit = scalar(2 * bound).div(sumOverBins(from));
  const toUnit = scalar(2 * bound).div(sumOverBins(to));

  // Outside [-B, B] the argument is replaced by 0 here, and the result by `extendOutsideInterval`, so that gradients stay finite.
  const inside = closed ? u.abs().lessEqual(bound) : u.abs().less(bound);
  const safe = inside.where(u, 0);

  // `reached` is 1 up to the bin of u and 0 beyond, so that differences of neighbors are 1 at that bin only. Cumulative sums and
  // differences along the short axis of bins are products with constant matrices, several times faster than CumSum and Slice.
  const lowerEdges = constantMatrix(bins, bins, (edge, k) => +(k < edge)).matmul(from);
  const distance = safe.add(bound).div(fromUnit);
  const [features, rows] = distance.shape;
  const reached = distance.reshape([features, 1, rows]).greaterEqual(lowerEdges).toFloat();
  const pick: Bin["pick"] = (values, binOf = (j) => j) => {
    const differenceMatrix = (j: number, k: number) => {
      const bin = binOf(j);
      return bin < 0 ? 0 : +(k === bin) - +(k === bin + 1);
    };
    return sumOverBins(values.mul(constantMatrix(binCount(values), bins, differenceMatrix).matmul(reached)));
  };

  // The upper end of a bin is half of the sum of the sizes up to this bin minus half of the sum of those above. Such a sum starts
  // from the middle of [-B, B], where most data are, and has smaller rounding errors there than a sum from -B.
  const halves = reached.sub(0.5);
  const fromSize = pick(from).mul(fromUnit);
  const fromEnd = sumOverBins(from.mul(halves)).mul(fromUnit);
  const toSize = pick(to).mul(toUnit);
  const toEnd = sumOverBins(to.mul(halves)).mul(toUnit);
  return { inside, above: clampToUnit(fromEnd.sub(safe).div(fromSize)), fromSize, toSize, toEnd, pick };
}

/** K of values [D, K, N]. */
export const binCount = (values: Tensor): number => values.shape[1] as number;

/** Sums over bins, [D, K, N] -> [D, N]. */
export const sumOverBins = (values: Tensor): Tensor => values.sum(1);

/**
 * Positive sizes [D, K, N], the numerators of a softmax. The clamp bounds them, so the maximum need not be subtracted first, and the
 * widest bin is at most 1000 times as wide as the thinnest.
 */
export const binSizes = (raw: Tensor): Tensor => raw.softClamp(LOG_BOUND / 2).exp();

/**
 * Extends the result of a spline on [-B, B] to elements outside: with linear tails by the identity; without tails the
 * log-derivative there is -Infinity, and the value is the element itself.
 */
export function extendOutsideInterval(
  u: Tensor,
  inside: Tensor,
  { value, logDerivative }: ScalarTransformed,
  { bound, tails }: Pick<SplineSettings, "bound" | "tails">,
): ScalarTransformed {
  if (tails === "linear")
    return { value: inside.where(value, u), logDerivative: inside.where(logDerivative, 0) };
  return {
    value: inside.where(clampToInterval(value, bound), u),
    logDerivative: inside.where(logDerivative, Number.NEGATIVE_INFINITY),
  };
}

/** Clamps to [0, 1] but keeps the gradient: only rounding errors move a point outside of its bin. */
export const clampToUnit = (part: Tensor): Tensor => clampWithGradient(part, 0, 1);

/**
 * The bin edge whose slope is parameter j: the lower end of bin `lowerEndOf(j)` and the upper end of bin `upperEndOf(j)`, of K
 * bins.
 */
export interface SlopePlacement {
  lowerEndOf(j: number, bins: number): number;
  upperEndOf(j: number, bins: number): number;
}

/** With linear tails the slopes at -B and B are 1, so only the inner bin edges have a parameter; without tails all edges do. */
export const SLOPE_PLACEMENT: Readonly<Record<SplineSettings["tails"], SlopePlacement>> = {
  linear: { lowerEndOf: (j) => j + 1, upperEndOf: (j) => j },
  none: { lowerEndOf: (j) => j, upperEndOf: (j) => j - 1 },
};

/** Clamps to [-bound, bound] but keeps the gradient. */
export const clampToInterval = (value: Tensor, bound: number): Tensor =>
  clampWithGradient(value, -bound, bound);

const clampWithGradient = (x: Tensor, low: number, high: number): Tensor =>
  withGradient(x.maximum(low).minimum(high), [x], (g) => [g]);
