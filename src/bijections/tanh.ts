import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { inverseOnSupport } from "./constraint.ts";

const tanhSchema = z.strictObject({ type: z.literal("tanh"), features: sizeSchema });

/**
 * x = tanh(z), onto (-1, 1). For |z| above 9 in float32, and 19 in float64, samples round to -1 or 1 (`Softsign` approaches them
 * more slowly). The log-determinant is -Infinity where |x| >= 1.
 */
export class Tanh implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = { min: -1, max: 1 };

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    this.features = parse(tanhSchema, { type: "tanh", ...options }, "a hyperbolic tangent").features;
  }

  forward(z: Tensor): Transformed {
    // log(1 - tanh^2 z) = -2 log cosh z, and log cosh z = z + log(1 + exp(-2 z)) - log 2.
    const logCosh = z.add(z.mul(-2).softplus()).sub(Math.LN2);
    return { value: z.tanh(), logDet: sumFeatures(logCosh.mul(-2), this.features) };
  }

  inverse(x: Tensor): Transformed {
    return inverseOnSupport(x, x.abs().greaterEqual(1), 0, (x) => {
      const [above, below] = [x.neg().log1p(), x.log1p()];
      return { value: below.sub(above).mul(0.5), logDerivative: above.add(below).neg() };
    });
  }

  describe(): Description {
    return { type: "tanh", features: this.features };
  }
}

export const tanhKind: BijectionKind<typeof tanhSchema> = {
  schema: tanhSchema,
  build: (description) => new Tanh(description),
};
