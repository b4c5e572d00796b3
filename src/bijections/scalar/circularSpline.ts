import * as z from "zod/mini";
import type { Tensor } from "../../graph/index.ts";
import { clampToInterval, type SlopePlacement, splineOptions, sumOverBins } from "./bins.ts";
import { rationalQuadratic } from "./rationalQuadraticSpline.ts";
import { featuresFirst, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const circularSplineSchema = z.strictObject({
  type: z.literal("circularSpline"),
  bins: splineOptions.bins,
});

/** Rational-quadratic spline on the circle [-pi, pi] (Rezende et al. 2020). */
export interface CircularSplineOptions {
  type: "circularSpline";
  /** K, the number of bins, at least 2 and at most 1024. Default 8. */
  bins?: number | undefined;
}

/** Slope j is at the lower end of bin j and the upper end of bin j - 1; the first and the last bin share a slope at +-pi. */
const PERIODIC: SlopePlacement = { lowerEndOf: (j) => j, upperEndOf: (j, bins) => (j + bins - 1) % bins };

/**
 * A map of the circle onto itself, for angles in [-pi, pi]: a rational-quadratic spline of K bins with equal slopes at -pi and pi,
 * followed by a rotation (Rezende et al. 2020, "Normalizing flows on tori and spheres"):
 *   z = wrap(spline(x) + phase),  wrap(u) = u - 2 pi floor((u + pi) / (2 pi)).
 * P = 3 K + 1. Arguments are wrapped first, so the map and the density have the period 2 pi: the density integrates to 1 over
 * one period. The base distribution must be one on the circle too, such as a uniform one on [-pi, pi]. The conditioner sees
 * the cosines and sines of angles.
 */
export function circularSpline(bins = 8): ScalarTransform {
  const sizes = [bins, bins, bins, 1];
  const transform = featuresFirst(sizes, (u, [widths, heights, slopes, rawPhase], inverse) => {
    const spline = { widths, heights, slopes, bound: Math.PI, tails: "none" } as const;
    const phase = sumOverBins(rawPhase);
    if (inverse) return rationalQuadratic(wrap(u.sub(phase)), spline, PERIODIC, true);
    const { value, logDerivative } = rationalQuadratic(wrap(u), spline, PERIODIC, false);
    return { value: wrap(value.add(phase)), logDerivative };
  });
  return { ...transform, angles: true };
}

/**
 * The equivalent angle in [-pi, pi]. It is clamped, because a base distribution has density 0 where rounding errors exceed this
 * range.
 */
function wrap(angle: Tensor): Tensor {
  const periods = angle
    .add(Math.PI)
    .mul(0.5 / Math.PI)
    .floor();
  const wrapped = angle.sub(periods.mul(2 * Math.PI));
  return clampToInterval(wrapped, Math.PI);
}

export const circularSplineKind: ScalarTransformKind<typeof circularSplineSchema> = {
  schema: circularSplineSchema,
  build: ({ bins }) => circularSpline(bins),
};
