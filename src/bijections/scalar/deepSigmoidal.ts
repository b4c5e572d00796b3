import * as z from "zod/mini";
import type { Tensor } from "../../graph/index.ts";
import { LOG_BOUND, MIN_SLOPE } from "../../numerics/index.ts";
import { MAX_LAYERS, sizeSchema } from "../../parts/index.ts";
import { alternatingFactors } from "./alternatingFactors.ts";
import { invertedNumerically } from "./invertedNumerically.ts";
import {
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

/** The largest of the factors of the shifts b, so large that sharp and distant modes are found early in training. */
const MAX_SHIFT_FACTOR = 8;

const deepSigmoidalSchema = z.strictObject({
  type: z.literal("deepSigmoidal"),
  /** K, the number of sigmoids in a layer. */
  units: z._default(sizeSchema, 8),
  layers: z._default(sizeSchema.check(z.maximum(MAX_LAYERS)), 1),
});

/** Mixtures of sigmoids (Huang et al. 2018). */
export interface DeepSigmoidalOptions {
  type: "deepSigmoidal";
  /** K, the number of sigmoids in a layer. Default 8. */
  units?: number | undefined;
  /** Number of layers. Default 1. */
  layers?: number | undefined;
}

/**
 * The deep sigmoidal transform of neural autoregressive flows (Huang et al. 2018): the logit of a mixture of K sigmoids,
 *
 *     T(x) = logit(sum_k w_k sigmoid(a_k x + b_k)),  z = (1 - e) T(x) + e x,  e = 1/1000,
 *
 * or the composition of several such layers. P = 3 K per layer: a by exp and w by a softmax of smoothly clamped parameters. For
 * large |x|, T is linear with the slope of the flattest sigmoid. Between sigmoids that are far apart the slope of T is about
 * exp(-distance), too flat to invert; the term e x keeps the slope above 1/1000.
 *
 * With all parameters at 0 the sigmoids are equal, and the map is the identity. Equal sigmoids would get equal gradients and
 * stay equal, so each parameter of b is multiplied by a different constant.
 */
export function deepSigmoidal(units = 8, layers = 1): ScalarTransform {
  const sizes = new Array<number>(3 * layers).fill(units);
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const groups = splitGroups(raw, x.shape.at(-1) as number, sizes);
    let result = layer(x, groups);
    for (let i = 1; i < layers; i++) {
      const next = layer(result.value, groups.slice(3 * i));
      result = { value: next.value, logDerivative: result.logDerivative.add(next.logDerivative) };
    }
    return result;
  };
  return invertedNumerically(sizes, toLatent);
}

/** One layer: x [..., D], groups of parameters [..., D, K]. */
function layer(x: Tensor, [rawSlopes, rawShifts, rawWeights]: readonly Tensor[]): ScalarTransformed {
  const slopes = rawSlopes.softClamp(LOG_BOUND).exp();
  const u = x
    .reshape([...x.shape, 1])
    .mul(slopes)
    .add(rawShifts.mul(alternatingFactors(rawShifts.shape.at(-1) as number, MAX_SHIFT_FACTOR)));
  const logWeights = rawWeights.softClamp(LOG_BOUND).logSoftmax();
  // Logarithms of the terms of the mixture S and of 1 - S, which are finite everywhere.
  const below = logWeights.sub(u.neg().softplus());
  const above = logWeights.sub(u.softplus());
  const value = below.logsumexp(-1).sub(above.logsumexp(-1));
  // d log S / dx - d log(1 - S) / dx: all terms are positive, whereas the quotient S' / (S (1 - S)) would lose precision.
  const rising = below.softmax().mul(u.neg().sigmoid());
  const falling = above.softmax().mul(u.sigmoid());
  const slope = rising.add(falling).mul(slopes).sum(-1);
  return {
    value: value.mul(1 - MIN_SLOPE).add(x.mul(MIN_SLOPE)),
    logDerivative: slope
      .mul(1 - MIN_SLOPE)
      .add(MIN_SLOPE)
      .log(),
  };
}

export const deepSigmoidalKind: ScalarTransformKind<typeof deepSigmoidalSchema> = {
  schema: deepSigmoidalSchema,
  build: ({ units, layers }) => deepSigmoidal(units, layers),
};
