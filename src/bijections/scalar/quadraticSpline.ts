import * as z from "zod/mini";
import { constant, constantMatrix, scalar, type Tensor } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import {
  binCount,
  binSizes,
  extendOutsideInterval,
  findBin,
  SLOPE_PLACEMENT,
  type SplineSettings,
  splineOptions,
} from "./bins.ts";
import {
  featuresFirst,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
} from "./scalarTransform.ts";

const quadraticSplineSchema = z.strictObject({ type: z.literal("quadraticSpline"), ...splineOptions });

/**
 * Piecewise quadratic map on [-B, B] with K bins (Müller et al. 2019, "Neural importance sampling"), the identity outside: the
 * slope dz/dx is linear in each bin and continuous everywhere, and 1 at -B and B. P = 2 K - 1: widths by a softmax and inner
 * slopes by exp of smoothly clamped parameters. The inner slopes are multiplied by a common factor such that the bin heights
 *   height_k = width_k (d_k + d_k+1) / 2
 * sum to 2 B. Without tails (`none`) the slopes at -B and B are free too, and P = 2 K + 1.
 *
 * With r the fraction of bin k above x and t = 1 - r, z = y_k+1 - width (d_k+1 r + (d_k - d_k+1) r^2 / 2) and
 * dz/dx = d_k r + d_k+1 t.
 */
export function quadraticSpline({ bins, bound, tails }: SplineSettings): ScalarTransform {
  const sizes = [bins, tails === "linear" ? bins - 1 : bins + 1];
  return featuresFirst(sizes, (u, groups, inverse) => spline(u, groups, { bound, tails }, inverse));
}

function spline(
  u: Tensor,
  [rawWidths, rawSlopes]: readonly Tensor[],
  options: Pick<SplineSettings, "bound" | "tails">,
  inverse: boolean,
): ScalarTransformed {
  const { bound, tails } = options;
  const placement = SLOPE_PLACEMENT[tails];
  const widths = binSizes(rawWidths);
  const bins = binCount(widths);
  const logSlopes = rawSlopes.softClamp(LOG_BOUND / 2);
  const half = constantMatrix(bins, binCount(rawSlopes), (k, j) =>
    placement.lowerEndOf(j, bins) === k || placement.upperEndOf(j, bins) === k ? 0.5 : 0,
  );
  const freeHeights = widths.mul(half.matmul(logSlopes.exp()));
  // With linear tails the slopes at -B and B are 1, so their contribution to the heights is fixed.
  const ends = constant(
    Array.from({ length: bins }, (_, k) => (tails === "linear" && (k === 0 || k === bins - 1) ? 0.5 : 0)),
    [bins, 1],
  );
  const fixedHeights = widths.mul(ends);
  const total = (sizes: Tensor) => sizes.sum(1, { keepAxes: true });
  const factor = total(widths).sub(total(fixedHeights)).div(total(freeHeights));
  const heights = freeHeights.mul(factor).add(fixedHeights);

  const [from, to] = inverse ? [heights, widths] : [widths, heights];
  const { inside, above, fromSize, toSize, toEnd, pick } = findBin(u, {
    from,
    to,
    bound,
    closed: tails === "none",
  });
  const scaled = logSlopes.add(factor.log());
  // At -B and B, where linear tails have no parameter, `pick` returns 0, and exp gives the slope 1.
  const d0 = pick(scaled, (j) => placement.lowerEndOf(j, bins)).exp();
  const d1 = pick(scaled, (j) => placement.upperEndOf(j, bins)).exp();
  if (inverse) {
    // The quadratic is solved for the slope first, and the slope gives the fraction r of the width. In a bin the square of the
    // slope is linear in z.
    const slope = scalar(1).sub(above).mul(d1.square()).add(above.mul(d0.square())).sqrt();
    const r = above.mul(d0.add(d1)).div(d1.add(slope));
    return extendOutsideInterval(
      u,
      inside,
      { value: toEnd.sub(toSize.mul(r)), logDerivative: slope.log().neg() },
      options,
    );
  }
  const slope = d0.mul(above).add(d1.mul(scalar(1).sub(above)));
  const drop = fromSize.mul(above).mul(d1.add(slope)).mul(0.5);
  return extendOutsideInterval(u, inside, { value: toEnd.sub(drop), logDerivative: slope.log() }, options);
}

export const quadraticSplineKind: ScalarTransformKind<typeof quadraticSplineSchema> = {
  schema: quadraticSplineSchema,
  build: quadraticSpline,
};
