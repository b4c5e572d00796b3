import * as z from "zod/mini";
import { filled } from "../../graph/index.ts";
import { binSizes, extendOutsideInterval, findBin, type SplineSettings, splineOptions } from "./bins.ts";
import { featuresFirst, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const linearSplineSchema = z.strictObject({ type: z.literal("linearSpline"), ...splineOptions });

/**
 * Piecewise linear map on [-B, B] with K bins of equal width (Müller et al. 2019, "Neural importance sampling"), the identity
 * outside. P = K: the heights, by a softmax of smoothly clamped parameters. In bin k
 *   z = y_k + height (x - x_k) / width,  dz/dx = height / width.
 * The slope, and with it the density, is discontinuous at every bin edge.
 */
export function linearSpline({ bins, bound, tails }: SplineSettings): ScalarTransform {
  return featuresFirst([bins], (u, [raw], inverse) => {
    const heights = binSizes(raw);
    const widths = filled(1, [1, bins, 1]);
    const [from, to] = inverse ? [heights, widths] : [widths, heights];
    const { inside, above, fromSize, toSize, toEnd } = findBin(u, {
      from,
      to,
      bound,
      closed: tails === "none",
    });
    const value = toEnd.sub(toSize.mul(above));
    return extendOutsideInterval(
      u,
      inside,
      { value, logDerivative: toSize.div(fromSize).log() },
      { bound, tails },
    );
  });
}

export const linearSplineKind: ScalarTransformKind<typeof linearSplineSchema> = {
  schema: linearSplineSchema,
  build: linearSpline,
};
