import * as z from "zod/mini";
import { constant, scalar, type Tensor } from "../../graph/tensor.ts";
import {
  binCount,
  binSizes,
  extendOutsideBox,
  findBin,
  LOG_SLOPE_BOUND,
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
 * and heights come from a softmax whose arguments are clamped smoothly, and slopes at inner ends of bins from Steffen's rule
 * (1990), which is monotonic: with s_k = height / width,
 *   d_k = min(2 s_k-1, 2 s_k, (s_k-1 width_k + s_k width_k-1) / (width_k-1 + width_k)).
 * The derivative is continuous everywhere and 1 at both ends: for that the outermost bins are given half of their width as
 * height before the softmax shares out the rest, so that no slope is more than 2 s. P = 2 K. Without tails (`none`) the
 * slopes at both ends are 2 s sigmoid(c) with a free number c each, clamped smoothly, and P = 2 K + 2.
 *
 * In bin k with r the part of the width above x, t = 1 - r, a = d_k / s and b = d_k+1 / s:
 *   z = y_k+1 - height r (b t^2 + (3 - a) r t + r^2),  dz/dx = s (a r^2 + 2 (3 - a - b) r t + b t^2).
 * The inverse solves the cubic by Newton's method from the root of a quadratic. Since a and b are at most 2, five steps are
 * more than float64 needs, and no case has to be told from another as in the closed form.
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

  /** Size and slope of a bin beside the one that holds u, or of that: `shift` bins below it. */
  const beside = (shift: number) => {
    const width = pick(widths, (j) => j + shift);
    const missing = width.equal(0);
    const s = pick(heights, (j) => j + shift).div(missing.where(1, width));
    return { width: missing.where(1, width), s, missing };
  };
  const own = beside(0);
  const inner = (other: ReturnType<typeof beside>) => {
    const mean = own.s.mul(other.width).add(other.s.mul(own.width)).div(own.width.add(other.width));
    return own.s.minimum(other.s).mul(2).minimum(mean);
  };
  const end = (j: number) =>
    rawSlopes
      ? pick(rawSlopes, (i) => (i !== j ? -1 : j === 0 ? 0 : bins - 1))
          .softClamp(LOG_SLOPE_BOUND)
          .sigmoid()
          .mul(2)
      : scalar(1).div(own.s);
  /** The slope at an end of the bin, divided by s. */
  const relative = (other: ReturnType<typeof beside>, j: number) =>
    other.missing.where(end(j), inner(other).div(own.s));
  const a = relative(beside(1), 0);
  const b = relative(beside(-1), 1);

  const r = inverse ? solve(above, b, a) : above;
  const logSlope = own.s.log().add(slope(r, b, a).log());
  const value = toEnd.sub(toSize.mul(inverse ? r : part(r, b, a)));
  return extendOutsideBox(
    u,
    bin.inside,
    { value, logDerivative: inverse ? logSlope.neg() : logSlope },
    options,
  );
}

/** Heights that add up to what the widths do. */
function heightsOf(raw: Tensor, widths: Tensor, tails: SplineSettings["tails"]): Tensor {
  const bins = binCount(widths);
  const total = (sizes: Tensor) => sizes.sum(1, { keepAxes: true });
  const given = tails === "linear" ? 0.5 : 0;
  const ends = Array.from({ length: bins }, (_, k) => (k === 0 || k === bins - 1 ? given : 0));
  const least = widths.mul(constant(ends, [bins, 1]));
  const shares = binSizes(raw).mul(
    constant(
      ends.map((end) => 1 - end),
      [bins, 1],
    ),
  );
  return least.add(shares.mul(total(widths).sub(total(least)).div(total(shares))));
}

/** F(p) = p (a q^2 + (3 - b) p q + p^2), q = 1 - p: from 0 to 1 with slope a at 0 and b at 1. */
function part(p: Tensor, a: Tensor, b: Tensor): Tensor {
  const q = scalar(1).sub(p);
  return p.mul(a.mul(q.square()).add(scalar(3).sub(b).mul(p).mul(q)).add(p.square()));
}

/** F'(p); with a and b at most 2 it is at least half of the smaller one. */
function slope(p: Tensor, a: Tensor, b: Tensor): Tensor {
  const q = scalar(1).sub(p);
  const middle = scalar(6).sub(a.add(b).mul(2));
  return a.mul(q.square()).add(middle.mul(p).mul(q)).add(b.mul(p.square()));
}

const STEPS = 5;
/** Newton's method doubles the number of derivatives that are right with each step: after two, gradients of gradients are. */
const DIFFERENTIABLE = 2;

/** The p with F(p) = c, counted from the nearer end: there the cubic is close to the quadratic of its first two terms. */
function solve(c: Tensor, a: Tensor, b: Tensor): Tensor {
  const low = c.less(part(scalar(0.5), a, b));
  const target = low.where(c, scalar(1).sub(c));
  const [near, far] = [low.where(a, b), low.where(b, a)];
  const bend = scalar(3).sub(near.mul(2)).sub(far);
  const root = near.square().add(bend.mul(target).mul(4)).maximum(0).sqrt();
  let p = target.mul(2).div(near.add(root)).minimum(0.5).stopGradient();
  for (let step = 0; step < STEPS; step++) {
    const next = p.sub(
      part(p, near, far)
        .sub(target)
        .div(slope(p, near, far)),
    );
    p = step < STEPS - DIFFERENTIABLE ? next.maximum(0).minimum(1).stopGradient() : next;
  }
  return low.where(p, scalar(1).sub(p));
}

export const cubicSplineKind: ScalarTransformKind<typeof cubicSplineSchema> = {
  schema: cubicSplineSchema,
  build: cubicSpline,
};
