import * as z from "zod/mini";
import type { Tensor } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import { blockColumns, type ScalarTransform, type ScalarTransformKind } from "./scalarTransform.ts";

const affineSchema = z.strictObject({
  type: z.literal("affine"),
  bound: z.optional(z.number().check(z.positive(), z.maximum(LOG_BOUND))),
});

/** z = x exp(a) + b (Dinh et al. 2017). */
export interface AffineOptions {
  type: "affine";
  /** The log-scale a is clamped smoothly to +-`bound`. At most log 1000, which is the default. */
  bound?: number | undefined;
}

/** z = x exp(a) + b (RealNVP, Dinh et al. 2017; MAF, Papamakarios et al. 2017). The parameters are [b, a]. */
export const affineTransform = (bound = LOG_BOUND): ScalarTransform => {
  const split = (raw: Tensor) => {
    const features = (raw.shape.at(-1) as number) / 2;
    const [shift, scale] = raw.split(-1, [features, features]);
    return { shift, logScale: scale.softClamp(bound) };
  };
  return {
    parameters: 2,
    columns: (features) => blockColumns(features, 2),
    toLatent(x, raw) {
      const { shift, logScale } = split(raw);
      return { value: x.mul(logScale.exp()).add(shift), logDerivative: logScale };
    },
    toData(z, raw) {
      const { shift, logScale } = split(raw);
      const negative = logScale.neg();
      return { value: z.sub(shift).mul(negative.exp()), logDerivative: negative };
    },
  };
};

export const affineKind: ScalarTransformKind<typeof affineSchema> = {
  schema: affineSchema,
  build: ({ bound }) => affineTransform(bound),
};
