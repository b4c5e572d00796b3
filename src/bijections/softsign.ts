import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { scalar, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { inverseOnSupport } from "./constraint.ts";

const softsignSchema = z.strictObject({ type: z.literal("softsign"), features: sizeSchema });

/**
 * x = z / (1 + |z|), onto (-1, 1) (Bergstra et al. 2009). It approaches +-1 more slowly than `Tanh`, so that distinct large z keep
 * distinct values in floating point. Its second derivative is discontinuous at 0. The log-determinant is -Infinity where
 * |x| >= 1.
 */
export class Softsign implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = { min: -1, max: 1 };

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    this.features = parse(softsignSchema, { type: "softsign", ...options }, "a softsign").features;
  }

  forward(z: Tensor): Transformed {
    const denominator = z.abs().add(1);
    return { value: z.div(denominator), logDet: sumFeatures(denominator.log().mul(-2), this.features) };
  }

  inverse(x: Tensor): Transformed {
    return inverseOnSupport(x, x.abs().greaterEqual(1), 0, (x) => {
      const denominator = scalar(1).sub(x.abs());
      return { value: x.div(denominator), logDerivative: denominator.log().mul(-2) };
    });
  }

  describe(): Description {
    return { type: "softsign", features: this.features };
  }
}

export const softsignKind: BijectionKind<typeof softsignSchema> = {
  schema: softsignSchema,
  build: (description) => new Softsign(description),
};
