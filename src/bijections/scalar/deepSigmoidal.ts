import * as z from "zod/mini";
import { MAX_LAYERS, sizeSchema } from "../../description.ts";
import { constant, type Tensor } from "../../graph/tensor.ts";
import { solveIncreasing } from "../../numerics/solve.ts";
import {
  groupColumns,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

const LOG_SLOPE_BOUND = Math.log(1000);
/** What is left of the slope between steps that lie far apart. */
const LEAST_SLOPE = 1e-3;

const deepSigmoidalSchema = z.strictObject({
  type: z.literal("deepSigmoidal"),
  /** K, the sigmoids of a layer. */
  units: z._default(sizeSchema, 8),
  /** Layers of sigmoids, each with parameters of its own. */
  layers: z._default(sizeSchema.check(z.maximum(MAX_LAYERS)), 1),
});

/** Mixtures of sigmoids (Huang et al. 2018). */
export interface DeepSigmoidalOptions {
  type: "deepSigmoidal";
  /** K, the sigmoids of a layer. Default 8. */
  units?: number;
  /** Layers of sigmoids, each with parameters of its own. Default 1. */
  layers?: number;
}

/**
 * The deep sigmoidal transform of neural autoregressive flows (Huang et al. 2018): a mixture of K sigmoids, taken back to
 * the line,
 *
 *     T(x) = logit(sum_k w_k sigmoid(a_k x + b_k)),  z = (1 - e) T(x) + e x,  e = 1/1000,
 *
 * once or several times over. P = 3 K a layer: a by exp and w by a softmax, each clamped smoothly first to +-log 1000.
 * Far out T is linear with the slope of the flattest sigmoid. Between steps that lie far apart T is as flat as
 * exp(-distance), and could not be solved for x; the share e of the identity keeps the slope above 1/1000.
 *
 * At 0 all sigmoids are the same, and the map is the identity. Sigmoids that are the same have the same gradients, so
 * that they would stay together: b_k are the parameters times factors that differ.
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
  return {
    parameters: 3 * units * layers,
    columns: (features) => groupColumns(features, sizes),
    toLatent,
    toData: (z, raw) => solveIncreasing((x) => toLatent(x, raw), z),
  };
}

/** x [..., D] by groups [..., D, K]. */
function layer(x: Tensor, [rawSlopes, rawShifts, rawWeights]: readonly Tensor[]): ScalarTransformed {
  const slopes = rawSlopes.softClamp(LOG_SLOPE_BOUND).exp();
  const u = x
    .reshape([...x.shape, 1])
    .mul(slopes)
    .add(rawShifts.mul(spread(rawShifts.shape.at(-1) as number)));
  const logWeights = rawWeights.softClamp(LOG_SLOPE_BOUND).logSoftmax();
  // The terms of the mixture and of what it lacks to 1, whose logarithms do not vanish anywhere.
  const below = logWeights.sub(u.neg().softplus());
  const above = logWeights.sub(u.softplus());
  const value = below.logsumexp(-1).sub(above.logsumexp(-1));
  // d log S / dx - d log(1 - S) / dx: every term is positive, where the quotient S' / (S (1 - S)) would cancel.
  const rising = below.softmax().mul(u.neg().sigmoid());
  const falling = above.softmax().mul(u.sigmoid());
  const slope = rising.add(falling).mul(slopes).sum(-1);
  return {
    value: value.mul(1 - LEAST_SLOPE).add(x.mul(LEAST_SLOPE)),
    logDerivative: slope
      .mul(1 - LEAST_SLOPE)
      .add(LEAST_SLOPE)
      .log(),
  };
}

/** Factors of both signs, up to 8: far enough apart that the sigmoids of sharp and distant modes are soon found. */
const spread = (units: number): Tensor =>
  constant(
    Array.from({ length: units }, (_, k) => ((k % 2 === 0 ? 8 : -8) * (k + 1)) / units),
    [units],
  );

export const deepSigmoidalKind: ScalarTransformKind<typeof deepSigmoidalSchema> = {
  schema: deepSigmoidalSchema,
  build: ({ units, layers }) => deepSigmoidal(units, layers),
};
