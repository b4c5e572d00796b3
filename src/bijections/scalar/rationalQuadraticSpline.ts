import * as z from "zod/mini";
import { scalar, type Tensor } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import {
  type Bin,
  binCount,
  binSizes,
  clampToUnit,
  extendOutsideInterval,
  findBin,
  SLOPE_PLACEMENT,
  type SlopePlacement,
  type SplineSettings,
  splineOptions,
} from "./bins.ts";
import {
  featuresFirst,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
} from "./scalarTransform.ts";

const rationalQuadraticSplineSchema = z.strictObject({
  type: z.literal("rationalQuadraticSpline"),
  ...splineOptions,
});

/**
 * Monotonic rational-quadratic spline on [-B, B] with K bins, the identity outside (Durkan et al. 2019, "Neural spline flows").
 * P = 3 K - 1: widths and heights by a softmax, inner slopes by exp of smoothly clamped parameters, so that every bin has at
 * least 1/1000 of the widest bin's width and slopes are in [1/1000, 1000]. The derivative is continuous everywhere. Without
 * tails (`none`) it maps [-B, B] onto itself with free slopes at both ends and P = 3 K + 1, and the log-derivative outside is
 * -Infinity.
 *
 * In bin k with s = height / width, t the fraction of the width below x, and r = 1 - t the fraction above:
 *   z = y_k + height t a / c,  dz/dx = s^2 (t b + r a) / c^2,  where a = s t + d_k r,  b = s r + d_k+1 t,  c = t a + r b.
 * These are the paper's equations 4 and 5, rearranged so that every term is positive.
 */
export function rationalQuadraticSpline({ bins, bound, tails }: SplineSettings): ScalarTransform {
  const sizes = [bins, bins, tails === "linear" ? bins - 1 : bins + 1];
  return featuresFirst(sizes, (u, [widths, heights, slopes], inverse) =>
    rationalQuadratic(u, { widths, heights, slopes, bound, tails }, SLOPE_PLACEMENT[tails], inverse),
  );
}

/** Both directions of the spline for u [D, N]: x to z, or z to x if `inverse`. */
export function rationalQuadratic(
  u: Tensor,
  spline: { widths: Tensor; heights: Tensor; slopes: Tensor; bound: number; tails: SplineSettings["tails"] },
  placement: SlopePlacement,
  inverse: boolean,
): ScalarTransformed {
  const { bound, tails, slopes } = spline;
  const [widths, heights] = [binSizes(spline.widths), binSizes(spline.heights)];
  const [from, to] = inverse ? [heights, widths] : [widths, heights];
  const bin = findBin(u, { from, to, bound, closed: tails === "none" });
  const { above, fromSize, toSize, toEnd } = bin;
  const bins = binCount(widths);
  // At -B and B, where linear tails have no parameter, `pick` returns 0, which gives the slope 1.
  const d0 = slope(bin, slopes, (j) => placement.lowerEndOf(j, bins));
  const d1 = slope(bin, slopes, (j) => placement.upperEndOf(j, bins));
  const s = inverse ? fromSize.div(toSize) : toSize.div(fromSize);

  const r = inverse ? clampToUnit(solve(above, s, d0, d1)) : above;
  const t = scalar(1).sub(r);
  const a = s.mul(t).add(d0.mul(r));
  const b = s.mul(r).add(d1.mul(t));
  const c = t.mul(a).add(r.mul(b));
  const steepness = t.mul(b).add(r.mul(a));
  const value = toEnd.sub(toSize.mul(inverse ? r : r.mul(b).div(c)));
  const derivative = inverse ? c.div(s).square().div(steepness) : steepness.mul(s.div(c).square());
  return extendOutsideInterval(u, bin.inside, { value, logDerivative: derivative.log() }, spline);
}

/** The slope at one end of each element's bin. */
const slope = (bin: Bin, raw: Tensor, binOf: (j: number) => number): Tensor =>
  bin.pick(raw, binOf).softClamp(LOG_BOUND).exp();

/** Solves r b / c = above, which is quadratic in r, for the fraction r of the width; `above` is the fraction of the height. */
function solve(above: Tensor, s: Tensor, d0: Tensor, d1: Tensor): Tensor {
  const b = d1.sub(above.mul(d0.add(d1).sub(s.mul(2))));
  const product = s.mul(above);
  // The discriminant is positive, but may round to 0, where the square root has no gradient.
  const discriminant = b.square().add(product.mul(s.sub(b)).mul(4));
  const root = discriminant.maximum(1e-30).sqrt();
  // Two formulas of the same root, 2 s above / (b + root) = (root - b) / (2 (s - b)); the one without cancellation is used.
  const positive = b.greater(0);
  const sum = b.abs().add(root);
  return positive.where(product.mul(2), sum).div(positive.where(sum, s.sub(b).mul(2)));
}

export const rationalQuadraticSplineKind: ScalarTransformKind<typeof rationalQuadraticSplineSchema> = {
  schema: rationalQuadraticSplineSchema,
  build: rationalQuadraticSpline,
};
