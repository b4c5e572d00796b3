import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { clampExponent, inverseOnSupport } from "./constraint.ts";

const expSchema = z.strictObject({ type: z.literal("exp"), features: sizeSchema });

/**
 * x = exp(z), onto the positive numbers; a normal z gives a log-normal x. Sampling clamps z to [-80, 80]. The log-determinant
 * is -Infinity where x <= 0.
 */
export class Exp implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "positive";

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    this.features = parse(expSchema, { type: "exp", ...options }, "an exponential").features;
  }

  forward(z: Tensor): Transformed {
    const exponent = clampExponent(z);
    return { value: exponent.exp(), logDet: sumFeatures(exponent, this.features) };
  }

  inverse(x: Tensor): Transformed {
    return inverseOnSupport(x, x.lessEqual(0), 1, (x) => {
      const log = x.log();
      return { value: log, logDerivative: log.neg() };
    });
  }

  describe(): Description {
    return { type: "exp", features: this.features };
  }
}

export const expKind: BijectionKind<typeof expSchema> = {
  schema: expSchema,
  build: (description) => new Exp(description),
};
