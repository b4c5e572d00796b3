import * as z from "zod/mini";
import { constant, scalar, type Tensor } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import {
  binCount,
  binSizes,
  extendOutsideInterval,
  findBin,
  type SplineSettings,
  splineOptions,
} from "./bins.ts";
import {
  featuresFirst,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
} from "./scalarTransform.ts";

const cubicSplineSchema = z.strictObject({ type: z.literal("cubicSpline"), ...splineOptions });

/**
 * Monotonic piecewise cubic on [-B, B] with K bins (Durkan et al. 2019, "Cubic-spline flows"), the identity outside. Widths
 * and heights come from a softmax of smoothly clamped parameters. Slopes at inner bin edges follow from Steffen's rule (1990),
 * which guarantees monotonicity: with s_k = height_k / width_k,
 *   d_k = min(2 s_k-1, 2 s_k, (s_k-1 width_k + s_k width_k-1) / (width_k-1 + width_k)).
 * P = 2 K. The derivative is continuous everywhere and 1 at -B and B. Since Steffen's rule needs slopes of at most 2 s, the
 * heights of the two outermost bins are at least half of their widths. Without tails (`none`) the slopes at -B and B are
 * 2 s sigmoid(c) with a parameter c each, and P = 2 K + 2.
 *
 * In bin k with r the fraction of the width above x, t = 1 - r, a = d_k / s and b = d_k+1 / s:
 *   z = y_k+1 - height r (b t^2 + (3 - a) r t + r^2),  dz/dx = s (a r^2 + 2 (3 - a - b) r t + b t^2).
 * The inverse solves the cubic by Newton's method, starting from the root of a quadratic. Since a and b are at most 2, five steps
 * suffice for float64; the closed form would have to distinguish cases.
 */
export function cubicSpline({ bins, bound, tails }: SplineSettings): ScalarTransform {
  const sizes = tails === "linear" ? [bins, bins] : [bins, bins, 2];
  return featuresFirst(sizes, (u, groups, inverse) => spline(u, groups, { bound, tails }, inverse));
}

function spline(
  u: Tensor,
  [rawWidths, rawHeights, rawSlopes]: readonly Tensor[],
  options: Pick<SplineSettings, "bound" | "tails">,
  inverse: boolean,
): ScalarTransformed {
  const { bound, tails } = options;
  const widths = binSizes(rawWidths);
  const heights = heightsOf(rawHeights, widths, tails);
  const bins = binCount(widths);
  const [from, to] = inverse ? [heights, widths] : [widths, heights];
  const bin = findBin(u, { from, to, bound, closed: tails === "none" });
  const { above, toSize, toEnd, pick } = bin;

  /** Width and mean slope s of the bin `shift` bins below the one of u. `missing` is true where there is no such bin. */
  const binBelow = (shift: number) => {
    const width = pick(widths, (j) => j + shift);
    const missing = width.equal(0);
    const s = pick(heights, (j) => j + shift).div(missing.where(1, width));
    return { width: missing.where(1, width), s, missing };
  };
  const current = binBelow(0);
  /** Steffen's rule for the edge between the bin of u and a neighbor. */
  const steffenSlope = (neighbor: ReturnType<typeof binBelow>) => {
    const mean = current.s
      .mul(neighbor.width)
      .add(neighbor.s.mul(current.width))
      .div(current.width.add(neighbor.width));
    return current.s.minimum(neighbor.s).mul(2).minimum(mean);
  };
  /** The slope at -B (j = 0) or B (j = 1), divided by s. */
  const endSlope = (j: number) =>
    rawSlopes
      ? pick(rawSlopes, (i) => (i !== j ? -1 : j === 0 ? 0 : bins - 1))
          .softClamp(LOG_BOUND)
          .sigmoid()
          .mul(2)
      : scalar(1).div(current.s);
  /** The slope at an end of the bin, divided by s. */
  const relativeSlope = (neighbor: ReturnType<typeof binBelow>, j: number) =>
    neighbor.missing.where(endSlope(j), steffenSlope(neighbor).div(current.s));
  const a = relativeSlope(binBelow(1), 0);
  const b = relativeSlope(binBelow(-1), 1);

  const r = inverse ? solve(above, b, a) : above;
  const logSlope = current.s.log().add(slope(r, b, a).log());
  const value = toEnd.sub(toSize.mul(inverse ? r : cubic(r, b, a)));
  return extendOutsideInterval(
    u,
    bin.inside,
    { value, logDerivative: inverse ? logSlope.neg() : logSlope },
    options,
  );
}

/** Heights with the same sum as the widths; with linear tails the two outermost are at least half of their widths. */
function heightsOf(raw: Tensor, widths: Tensor, tails: SplineSettings["tails"]): Tensor {
  const bins = binCount(widths);
  const total = (sizes: Tensor) => sizes.sum(1, { keepAxes: true });
  const minimum = tails === "linear" ? 0.5 : 0;
  const minima = Array.from({ length: bins }, (_, k) => (k === 0 || k === bins - 1 ? minimum : 0));
  const minHeights = widths.mul(constant(minima, [bins, 1]));
  const freeHeights = binSizes(raw).mul(
    constant(
      minima.map((m) => 1 - m),
      [bins, 1],
    ),
  );
  return minHeights.add(freeHeights.mul(total(widths).sub(total(minHeights)).div(total(freeHeights))));
}

/** F(p) = p (a q^2 + (3 - b) p q + p^2), q = 1 - p: the cubic from (0, 0) to (1, 1) with slope a at 0 and b at 1. */
function cubic(p: Tensor, a: Tensor, b: Tensor): Tensor {
  const q = scalar(1).sub(p);
  return p.mul(a.mul(q.square()).add(scalar(3).sub(b).mul(p).mul(q)).add(p.square()));
}

/** F'(p). For a and b of at most 2 it is at least a quarter of the smaller one. */
function slope(p: Tensor, a: Tensor, b: Tensor): Tensor {
  const q = scalar(1).sub(p);
  const middle = scalar(6).sub(a.add(b).mul(2));
  return a.mul(q.square()).add(middle.mul(p).mul(q)).add(b.mul(p.square()));
}

const NEWTON_STEPS = 5;
/**
 * Gradients flow through the last two steps only. Each step makes one more order of derivatives exact, and gradients of a
 * log-derivative need second derivatives.
 */
const DIFFERENTIABLE_STEPS = 2;

/**
 * Solves F(p) = c by Newton's method, from the nearer end of the bin. The first guess solves the quadratic a p + (3 - 2 a - b)
 * p^2 = c, which is F without its cubic term.
 */
function solve(c: Tensor, a: Tensor, b: Tensor): Tensor {
  const low = c.less(cubic(scalar(0.5), a, b));
  const target = low.where(c, scalar(1).sub(c));
  const [near, far] = [low.where(a, b), low.where(b, a)];
  const quadraticCoefficient = scalar(3).sub(near.mul(2)).sub(far);
  const root = near.square().add(quadraticCoefficient.mul(target).mul(4)).maximum(0).sqrt();
  let p = target.mul(2).div(near.add(root)).minimum(0.5).stopGradient();
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const next = p.sub(
      cubic(p, near, far)
        .sub(target)
        .div(slope(p, near, far)),
    );
    p = step < NEWTON_STEPS - DIFFERENTIABLE_STEPS ? next.maximum(0).minimum(1).stopGradient() : next;
  }
  return low.where(p, scalar(1).sub(p));
}

export const cubicSplineKind: ScalarTransformKind<typeof cubicSplineSchema> = {
  schema: cubicSplineSchema,
  build: cubicSpline,
};
