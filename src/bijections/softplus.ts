import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { FARTHEST, onSupport } from "./constraint.ts";

const softplusSchema = z.strictObject({ type: z.literal("softplus"), features: sizeSchema });

/**
 * x = log(1 + exp(z)), onto the positive numbers: exponential on the left, and on the right nearly z, so that large values
 * keep the tail of the latent ones (Dugas et al. 2001). Sampling maps latent values below -80 as if they were there; x <= 0
 * has the log-determinant -Infinity.
 */
export class Softplus implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "positive";

  constructor(options: { features: number }) {
    this.features = parse(softplusSchema, { type: "softplus", ...options }, "a softplus").features;
  }

  forward(z: Tensor): Transformed {
    const reach = z.maximum(-FARTHEST);
    return { value: reach.softplus(), logDet: sumFeatures(reach.neg().softplus().neg(), this.features) };
  }

  inverse(x: Tensor): Transformed {
    return onSupport(x, x.lessEqual(0), 1, (x) => {
      // log(1 - exp(-x)): of the probability that a softplus below x is far from 0.
      const log = x.neg().expm1().neg().log();
      return { value: x.add(log), logDerivative: log.neg() };
    });
  }

  describe(): Description {
    return { type: "softplus", features: this.features };
  }
}

export const softplusKind: BijectionKind<typeof softplusSchema> = {
  schema: softplusSchema,
  build: (description) => new Softplus(description),
};
