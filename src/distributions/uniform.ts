import * as z from "zod/mini";
import type { Support } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { scalar, type Tensor } from "../graph/index.ts";
import { realSchema, sizeSchema } from "../parts/index.ts";
import { type Distribution, type DistributionKind, type Noise, onSupport } from "./distribution.ts";

const uniformSchema = z
  .strictObject({
    type: z.literal("uniform"),
    features: sizeSchema,
    low: z._default(realSchema, 0),
    high: z._default(realSchema, 1),
  })
  .check(z.refine(({ low, high }) => low < high, { path: ["high"], error: "more than low" }));

/**
 * Uniform distribution on [low, high]^D: log p(x) = -D log(high - low) if low <= x <= high in all features and -Infinity otherwise, both
 * with gradient 0.
 */
export class Uniform implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly low: number;
  readonly high: number;
  readonly noise: readonly Noise[];

  /**
   * `low` is 0 and `high` is 1 by default. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or `low` is not below
   * `high`.
   */
  constructor(options: { features: number; low?: number; high?: number }) {
    const description = { type: "uniform", ...options };
    const { features, low, high } = parse(uniformSchema, description, "a uniform distribution");
    this.features = features;
    this.low = low;
    this.high = high;
    this.noise = [{ kind: "uniform", size: features }];
  }

  /** `logProb` is finite at the bounds too. */
  get support(): Support {
    return { min: this.low, max: this.high };
  }

  logProb(x: Tensor): Tensor {
    const inside = x.greaterEqual(this.low).and(x.lessEqual(this.high));
    return onSupport(x, inside, scalar(-this.features * Math.log(this.high - this.low)));
  }

  sample([uniform]: readonly Tensor[]): Tensor {
    return uniform.mul(this.high - this.low).add(this.low);
  }

  describe() {
    return { type: "uniform", features: this.features, low: this.low, high: this.high };
  }
}

export const uniformKind: DistributionKind<typeof uniformSchema> = {
  schema: uniformSchema,
  build: ({ type: _, ...options }) => new Uniform(options),
};
