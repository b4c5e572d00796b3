import * as z from "zod/mini";
import { normalTailQuantile, normalTails, type Tensor } from "../../graph/index.ts";
import { LOG_BOUND, MIN_SLOPE } from "../../numerics/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import { alternatingFactors } from "./alternatingFactors.ts";
import { invertedNumerically } from "./invertedNumerically.ts";
import {
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

/** |x| and |m| are clamped to this, so that squares of (x - m) / s stay far from overflow in float32. */
const MAX_ARGUMENT = 1000;

/** The largest of the factors of the centers m. */
const MAX_CENTER_FACTOR = 4;

const gaussianizationSchema = z.strictObject({
  type: z.literal("gaussianization"),
  /** K */
  components: z._default(sizeSchema, 8),
});

/** Normal quantiles of the distribution function of a mixture of normals (Meng et al. 2020). */
export interface GaussianizationTransformOptions {
  type: "gaussianization";
  /** K, the number of normals. Default 8. */
  components?: number | undefined;
}

/**
 * Maps a mixture of K normal distributions to the standard normal: the mixture's distribution function, followed by the normal
 * quantile function (Gaussianization flows, Meng et al. 2020). The paper has logistic components; normal ones, as in zuko,
 * make the identity of K equal components:
 *
 *     T(x) = Phi^-1(sum_k w_k Phi((x - m_k) / s_k)),  z = (1 - e) T(x) + e x,  e = 1/1000.
 *
 * P = 3 K: log s clamped smoothly to +-log 1000, m to +-1000, w by a softmax. The term e x keeps the slope above 1/1000 between
 * components that are far apart. Probabilities are computed as logarithms of the nearer tail, so they keep their relative
 * precision arbitrarily far out (see `normalTails`). Beyond |x| = 1000 the map is linear.
 *
 * Equal components would get equal gradients and stay equal, so each parameter of m is multiplied by a different constant.
 */
export function gaussianization(components = 8): ScalarTransform {
  const sizes = [components, components, components];
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const [rawScales, rawCenters, rawWeights] = splitGroups(raw, x.shape.at(-1) as number, sizes);
    const inverseScales = rawScales.softClamp(LOG_BOUND).exp();
    const centers = rawCenters.mul(alternatingFactors(components, MAX_CENTER_FACTOR)).softClamp(MAX_ARGUMENT);
    const logWeights = rawWeights.softClamp(LOG_BOUND).logSoftmax();
    const clamped = x.maximum(-MAX_ARGUMENT).minimum(MAX_ARGUMENT);
    const tails = normalTails(
      clamped
        .reshape([...x.shape, 1])
        .sub(centers)
        .mul(inverseScales),
    );
    const above = logWeights.add(tails.logUpper);
    const below = logWeights.add(tails.logLower);
    const [logAbove, logBelow] = [above.logsumexp(-1), below.logsumexp(-1)];

    const usesUpperTail = logAbove.less(logBelow);
    const { value: quantile, hazard } = normalTailQuantile(usesUpperTail.where(logAbove, logBelow));
    // -d log S / dx of the tail S is the mean of the components' hazards, weighted by their shares of S.
    const upperMean = above.softmax().mul(tails.upperHazard).mul(inverseScales).sum(-1);
    const lowerMean = below.softmax().mul(tails.lowerHazard).mul(inverseScales).sum(-1);
    const slope = usesUpperTail
      .where(upperMean, lowerMean)
      .div(hazard)
      .mul(1 - MIN_SLOPE)
      .add(MIN_SLOPE);
    const value = usesUpperTail
      .where(quantile, quantile.neg())
      .mul(1 - MIN_SLOPE)
      .add(clamped.mul(MIN_SLOPE));
    return { value: value.add(x.sub(clamped).mul(slope)), logDerivative: slope.log() };
  };
  return invertedNumerically(sizes, toLatent);
}

export const gaussianizationKind: ScalarTransformKind<typeof gaussianizationSchema> = {
  schema: gaussianizationSchema,
  build: ({ components }) => gaussianization(components),
};
