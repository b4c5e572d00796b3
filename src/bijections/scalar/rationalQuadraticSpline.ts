import { z } from "zod";
import { constant, scalar, type Tensor } from "../../graph/tensor.ts";
import {
  cutGroups,
  groupColumns,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
} from "./scalarTransform.ts";

const LOG_SLOPE_BOUND = Math.log(1000);

const rationalQuadraticSplineSchema = z.strictObject({
  type: z.literal("rationalQuadraticSpline"),
  /** K; a single bin would be the identity. */
  bins: z.int().min(2).default(8),
  /** B */
  bound: z.number().positive().default(5),
});

/**
 * Monotonic rational-quadratic spline on [-B, B] with K bins, the identity with slope exactly 1 outside
 * (Durkan et al. 2019, "Neural spline flows"). P = 3 K - 1: widths and heights by a softmax, inner slopes by exp,
 * each clamped smoothly first, so that no bin is thinner than about 1/1000 of the widest and slopes stay in [1/1000, 1000].
 *
 * Inside bin k with s = height / width, t the part of the width that lies below x, and r = 1 - t the part above:
 *   z = y_k + height t a / c,  dz/dx = s^2 (t b + r a) / c^2,  where a = s t + d_k r,  b = s r + d_k+1 t,  c = t a + r b.
 * These are the paper's equations 4 and 5, collected so that every term is positive.
 * Bins are found by comparisons instead of a search, so that the map runs wherever ONNX does.
 */
export function rationalQuadraticSpline(bins = 8, bound = 5): ScalarTransform {
  return {
    parameters: 3 * bins - 1,
    // The widths of all features, their heights, their slopes.
    columns: (features) => groupColumns(features, [bins, bins, bins - 1]),
    toLatent: (x, raw) => spline(x, raw, bins, bound, false),
    toData: (z, raw) => spline(z, raw, bins, bound, true),
  };
}

/**
 * Both directions: `from` is the axis that u lies on (x, or z if `inverse`), `to` the other one.
 * Work on all K bins costs ten times what work on the chosen one does, so there is as little of it as possible.
 */
function spline(u: Tensor, raw: Tensor, bins: number, bound: number, inverse: boolean): ScalarTransformed {
  const [rawWidths, rawHeights, rawSlopes] = cutGroups(raw, u.shape.at(-1) as number, [bins, bins, bins - 1]);
  // A softmax would divide all of these by their sum: here `fromUnit` and `toUnit` do it for the chosen bin alone. The
  // clamp bounds them, so no largest one need be taken out first.
  const widths = rawWidths.softClamp(LOG_SLOPE_BOUND / 2).exp();
  const heights = rawHeights.softClamp(LOG_SLOPE_BOUND / 2).exp();
  const [from, to] = inverse ? [heights, widths] : [widths, heights];
  const fromUnit = scalar(2 * bound).div(from.sum(-1));
  const toUnit = scalar(2 * bound).div(to.sum(-1));

  // Outside the box the argument is replaced before the formula and the result after it, so gradients stay finite.
  const inside = u.abs().less(bound);
  const safe = inside.where(u, 0);

  // 1 up to the bin that holds u, so that the difference of neighbours is 1 at that bin alone. Running sums and differences
  // are products with constant matrices: several times faster than the operations that shift or add along a short axis.
  const left = from.matmul(matrix(bins, bins, (k, edge) => +(k < edge)));
  const distance = safe.add(bound).div(fromUnit);
  const reached = distance
    .reshape([...distance.shape, 1])
    .greaterEqual(left)
    .toFloat();
  /** 1 in column j if bin `first` + j holds u. */
  const holds = (columns: number, first: number) =>
    reached.matmul(matrix(bins, columns, (k, j) => +(k === j + first) - +(k === j + first + 1)));
  const chosen = holds(bins, 0);
  const pick = (values: Tensor, mask: Tensor) => values.mul(mask).sum(-1);

  // Half of what is reached less half of what is not: an end counted from the middle, where most data are, rounds less.
  const halves = reached.sub(0.5);
  const fromSize = pick(from, chosen).mul(fromUnit);
  const fromEnd = pick(from, halves).mul(fromUnit);
  const toSize = pick(to, chosen).mul(toUnit);
  const toEnd = pick(to, halves).mul(toUnit);
  // Inner slope number j stands between bins j and j + 1; where there is none, at -B and B, the raw 0 gives slope 1.
  const d0 = pick(rawSlopes, holds(bins - 1, 1))
    .softClamp(LOG_SLOPE_BOUND)
    .exp();
  const d1 = pick(rawSlopes, holds(bins - 1, 0))
    .softClamp(LOG_SLOPE_BOUND)
    .exp();
  const s = inverse ? fromSize.div(toSize) : toSize.div(fromSize);

  const above = withinBin(fromEnd.sub(safe).div(fromSize));
  const r = inverse ? withinBin(solve(above, s, d0, d1)) : above;
  const t = scalar(1).sub(r);
  const a = s.mul(t).add(d0.mul(r));
  const b = s.mul(r).add(d1.mul(t));
  const c = t.mul(a).add(r.mul(b));
  const logSlope = t.mul(b).add(r.mul(a)).mul(s.div(c).square()).log();
  const value = toEnd.sub(toSize.mul(inverse ? r : r.mul(b).div(c)));
  return {
    value: inside.where(value, u),
    logDerivative: inside.where(inverse ? logSlope.neg() : logSlope, 0),
  };
}

/** The r of the point that has the part `above` of its bin's height above it: r b / c = above is quadratic in r. */
function solve(above: Tensor, s: Tensor, d0: Tensor, d1: Tensor): Tensor {
  const b = d1.sub(above.mul(d0.add(d1).sub(s.mul(2))));
  const product = s.mul(above);
  // Positive, but rounding can take it to 0, where the root has no gradient.
  const discriminant = b.square().add(product.mul(s.sub(b)).mul(4));
  const root = discriminant.maximum(1e-30).sqrt();
  // One root, written in the way that does not cancel: 2 s above / (b + root) = (root - b) / (2 (s - b)).
  const positive = b.greater(0);
  const sum = b.abs().add(root);
  return positive.where(product.mul(2), sum).div(positive.where(sum, s.sub(b).mul(2)));
}

/** Rounding can put a point of a thin bin outside: its value is moved to the edge, and its gradient kept. */
const withinBin = (part: Tensor): Tensor => part.add(part.maximum(0).minimum(1).sub(part).stopGradient());

const matrix = (rows: number, columns: number, value: (row: number, column: number) => number): Tensor =>
  constant(
    Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
    [rows, columns],
  );

export const rationalQuadraticSplineKind: ScalarTransformKind<typeof rationalQuadraticSplineSchema> = {
  schema: rationalQuadraticSplineSchema,
  about: {
    name: "rational-quadratic spline",
    formula: "z = P_k(x) / Q_k(x) in bin k",
    paper: "Durkan et al. 2019",
    density: "closed form",
    sampling: "closed form",
  },
  build: ({ bins, bound }) => rationalQuadraticSpline(bins, bound),
  examples: () => [{ type: "rationalQuadraticSpline", bins: 5, bound: 3 }],
};
