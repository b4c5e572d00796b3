import * as z from "zod/mini";
import { sizeSchema } from "../../description.ts";
import { constant, type Tensor } from "../../graph/tensor.ts";
import { normalTailQuantile, normalTails } from "../../numerics/normalTail.ts";
import { solveIncreasing } from "../../numerics/solve.ts";
import {
  groupColumns,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

const LOG_BOUND = Math.log(1000);
const LEAST_SLOPE = 1e-3;
/** Beyond this, or with a center beyond it, squares would soon leave float32. */
const FARTHEST = 1000;

const gaussianizationSchema = z.strictObject({
  type: z.literal("gaussianization"),
  /** K */
  components: z._default(sizeSchema, 8),
});

/** Normal quantiles of the distribution function of a mixture of normals (Meng et al. 2020). */
export interface GaussianizationTransformOptions {
  type: "gaussianization";
  /** K, the number of normals. Default 8. */
  components?: number;
}

/**
 * What makes a mixture of K normal distributions standard normal: their distribution function, then its inverse for the
 * normal one (Gaussianization flows, Meng et al. 2020; with normal components, as in zuko, where the paper has logistic
 * ones, so that K equal components are the identity):
 *
 *     T(x) = Phi^-1(sum_k w_k Phi((x - m_k) / s_k)),  z = (1 - e) T(x) + e x,  e = 1/1000.
 *
 * P = 3 K: log s clamped smoothly to +-log 1000, m to +-1000, w by a softmax. The share e of the identity keeps the slope
 * above 1/1000 between components that lie far apart. Everything is computed from the logarithms of the nearer tail, to
 * the relative precision of the numbers: no tail is too far (see `normalTails`). Beyond |x| = 1000 the map is a line.
 *
 * Components that are the same would stay together: m_k are the parameters times factors that differ.
 */
export function gaussianization(components = 8): ScalarTransform {
  const sizes = [components, components, components];
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const [rawScales, rawCenters, rawWeights] = splitGroups(raw, x.shape.at(-1) as number, sizes);
    const inverseScales = rawScales.softClamp(LOG_BOUND).exp();
    const centers = rawCenters.mul(spread(components)).softClamp(FARTHEST);
    const logWeights = rawWeights.softClamp(LOG_BOUND).logSoftmax();
    const inside = x.maximum(-FARTHEST).minimum(FARTHEST);
    const tails = normalTails(
      inside
        .reshape([...x.shape, 1])
        .sub(centers)
        .mul(inverseScales),
    );
    const above = logWeights.add(tails.logUpper);
    const below = logWeights.add(tails.logLower);
    const [logAbove, logBelow] = [above.logsumexp(-1), below.logsumexp(-1)];

    const upper = logAbove.less(logBelow);
    const { value: quantile, hazard } = normalTailQuantile(upper.where(logAbove, logBelow));
    // d log S / dx is the mean of the components' hazards, by their shares of the tail.
    const upperMean = above.softmax().mul(tails.upperHazard).mul(inverseScales).sum(-1);
    const lowerMean = below.softmax().mul(tails.lowerHazard).mul(inverseScales).sum(-1);
    const slope = upper
      .where(upperMean, lowerMean)
      .div(hazard)
      .mul(1 - LEAST_SLOPE)
      .add(LEAST_SLOPE);
    const value = upper
      .where(quantile, quantile.neg())
      .mul(1 - LEAST_SLOPE)
      .add(inside.mul(LEAST_SLOPE));
    return { value: value.add(x.sub(inside).mul(slope)), logDerivative: slope.log() };
  };
  return {
    parameters: 3 * components,
    columns: (features) => groupColumns(features, sizes),
    toLatent,
    toData: (z, raw) => solveIncreasing((x) => toLatent(x, raw), z),
  };
}

/** Factors of both signs, up to 4. */
const spread = (components: number): Tensor =>
  constant(
    Array.from({ length: components }, (_, k) => ((k % 2 === 0 ? 4 : -4) * (k + 1)) / components),
    [components],
  );

export const gaussianizationKind: ScalarTransformKind<typeof gaussianizationSchema> = {
  schema: gaussianizationSchema,
  build: ({ components }) => gaussianization(components),
};
