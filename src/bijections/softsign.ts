import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { onSupport } from "./constraint.ts";

const softsignSchema = z.strictObject({ type: z.literal("softsign"), features: sizeSchema });

/**
 * x = z / (1 + |z|), onto (-1, 1) (Bergstra et al. 2009): it comes near the ends slowly, so that floats keep apart what `Tanh`
 * puts together. Its second derivative jumps at 0. Where |x| >= 1 the log-determinant is -Infinity.
 */
export class Softsign implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = { min: -1, max: 1 };

  constructor(options: { features: number }) {
    this.features = parse(softsignSchema, { type: "softsign", ...options }, "a softsign").features;
  }

  forward(z: Tensor): Transformed {
    const size = z.abs().add(1);
    return { value: z.div(size), logDet: sumFeatures(size.log().mul(-2), this.features) };
  }

  inverse(x: Tensor): Transformed {
    return onSupport(x, x.abs().greaterEqual(1), 0, (x) => {
      const rest = scalar(1).sub(x.abs());
      return { value: x.div(rest), logDerivative: rest.log().mul(-2) };
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
