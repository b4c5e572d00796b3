import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, realSchema, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { inverseOnSupport } from "./constraint.ts";
import type { Support } from "./support.ts";

const sigmoidSchema = z
  .strictObject({
    type: z.literal("sigmoid"),
    features: sizeSchema,
    low: z._default(realSchema, 0),
    high: z._default(realSchema, 1),
  })
  .check(z.refine(({ low, high }) => low < high, { path: ["high"], error: "more than low" }));

/**
 * x = low + (high - low) / (1 + exp(-z)), onto (low, high). Its inverse is the logit; a logistic z gives a uniform x. Samples far
 * out round to `low` or `high`. The log-determinant is -Infinity where x is not between them.
 */
export class Sigmoid implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly low: number;
  readonly high: number;

  /**
   * `low` is 0 and `high` is 1 by default. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or `low` is not below
   * `high`.
   */
  constructor(options: { features: number; low?: number; high?: number }) {
    const { features, low, high } = parse(sigmoidSchema, { type: "sigmoid", ...options }, "a sigmoid");
    this.features = features;
    this.low = low;
    this.high = high;
  }

  get support(): Support {
    return { min: this.low, max: this.high };
  }

  forward(z: Tensor): Transformed {
    const width = this.high - this.low;
    // x is computed from the nearer end, so that small distances to an end at 0 keep all digits.
    const fromLow = z.sigmoid().mul(width).add(this.low);
    const fromHigh = z.neg().sigmoid().mul(-width).add(this.high);
    const logDerivative = z.softplus().add(z.neg().softplus()).neg().add(Math.log(width));
    return { value: z.less(0).where(fromLow, fromHigh), logDet: sumFeatures(logDerivative, this.features) };
  }

  inverse(x: Tensor): Transformed {
    const { low, high } = this;
    const outside = x.lessEqual(low).or(x.greaterEqual(high));
    return inverseOnSupport(x, outside, low + (high - low) / 2, (x) => {
      const [above, below] = [x.neg().add(high).log(), x.sub(low).log()];
      return {
        value: below.sub(above),
        logDerivative: above
          .add(below)
          .neg()
          .add(Math.log(high - low)),
      };
    });
  }

  describe(): Description {
    return { type: "sigmoid", features: this.features, low: this.low, high: this.high };
  }
}

export const sigmoidKind: BijectionKind<typeof sigmoidSchema> = {
  schema: sigmoidSchema,
  build: ({ type: _, ...options }) => new Sigmoid(options),
};
