import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { inverseOnSupport, MAX_EXPONENT } from "./constraint.ts";

const softplusSchema = z.strictObject({ type: z.literal("softplus"), features: sizeSchema });

/**
 * x = log(1 + exp(z)), onto the positive numbers (Dugas et al. 2001). For large z, x is nearly z, so the upper tail of x is that of
 * z, unlike with `Exp`. Sampling clamps z to at least -80. The log-determinant is -Infinity where x <= 0.
 */
export class Softplus implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "positive";

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    this.features = parse(softplusSchema, { type: "softplus", ...options }, "a softplus").features;
  }

  forward(z: Tensor): Transformed {
    const clamped = z.maximum(-MAX_EXPONENT);
    return { value: clamped.softplus(), logDet: sumFeatures(clamped.neg().softplus().neg(), this.features) };
  }

  inverse(x: Tensor): Transformed {
    return inverseOnSupport(x, x.lessEqual(0), 1, (x) => {
      // z = x + log(1 - exp(-x)), and dz/dx = 1 / (1 - exp(-x)).
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
