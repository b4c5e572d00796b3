import * as z from "zod/mini";
import type { Tensor } from "../../graph/tensor.ts";
import { type SlopePlacement, splineOptions, sumOverBins } from "./bins.ts";
import { rationalQuadratic } from "./rationalQuadraticSpline.ts";
import { featuresFirst, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const circularSplineSchema = z.strictObject({
  type: z.literal("circularSpline"),
  bins: splineOptions.bins,
});

/** Rational-quadratic spline on the circle [-pi, pi) (Rezende et al. 2020). */
export interface CircularSplineOptions {
  type: "circularSpline";
  /** K, the number of bins, at least 2. Default 8. */
  bins?: number;
}

/** Slope j is that of the lower end of bin j, and of the upper end of the one before: at the seam, the last. */
const AROUND: SlopePlacement = { lowerEndOf: (j) => j, upperEndOf: (j, bins) => (j + bins - 1) % bins };

/**
 * A map of the circle onto itself for angles in [-pi, pi), a rational-quadratic spline of K bins whose slopes at both ends
 * are the same, followed by a turn (Rezende et al. 2020, "Normalizing flows on tori and spheres"):
 *   z = wrap(spline(x) + phase),  wrap(u) = u - 2 pi floor((u + pi) / (2 pi)).
 * P = 3 K + 1. Arguments are wrapped first, so the map and densities have the period 2 pi; a density is one on the circle, to
 * be integrated over one turn, and its base must be one there too, such as a uniform one on [-pi, pi]. What the parameters
 * depend on sees the cosines and sines of angles.
 */
export function circularSpline(bins = 8): ScalarTransform {
  const sizes = [bins, bins, bins, 1];
  const transform = featuresFirst(sizes, (u, [widths, heights, slopes, turn], inverse) => {
    const spline = { widths, heights, slopes, bound: Math.PI, tails: "none" } as const;
    const phase = sumOverBins(turn);
    if (inverse) return rationalQuadratic(wrap(u.sub(phase)), spline, AROUND, true);
    const { value, logDerivative } = rationalQuadratic(wrap(u), spline, AROUND, false);
    return { value: wrap(value.add(phase)), logDerivative };
  });
  return { ...transform, angles: true };
}

/** The same angle in [-pi, pi]; rounding can put it beyond, where a base distribution ends. */
function wrap(angle: Tensor): Tensor {
  const turns = angle
    .add(Math.PI)
    .mul(0.5 / Math.PI)
    .floor();
  const wrapped = angle.sub(turns.mul(2 * Math.PI));
  const beyond = wrapped.abs().greater(Math.PI);
  return beyond.where(wrapped.stopGradient().maximum(-Math.PI).minimum(Math.PI), wrapped);
}

export const circularSplineKind: ScalarTransformKind<typeof circularSplineSchema> = {
  schema: circularSplineSchema,
  build: ({ bins }) => circularSpline(bins),
};
