import { z } from "zod";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const uniformSchema = z
  .strictObject({
    type: z.literal("uniform"),
    features: z.int().positive(),
    low: z.number().default(0),
    high: z.number().default(1),
  })
  .refine(({ low, high }) => low < high, { path: ["high"], error: "more than low" });

/** Uniform on the box [low, high]^D: log p = -D log(high - low) inside, -Infinity outside, both with gradient 0. */
export class Uniform implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly low: number;
  readonly high: number;
  readonly noise: readonly Noise[];

  constructor(options: { features: number; low?: number; high?: number }) {
    const description = { type: "uniform", ...options };
    const { features, low, high } = parse(uniformSchema, description, "a uniform distribution");
    this.features = features;
    this.low = low;
    this.high = high;
    this.noise = [{ kind: "uniform", size: features }];
  }

  logProb(x: Tensor): Tensor {
    const outside = x.less(this.low).or(x.greater(this.high)).toFloat().sum(1);
    const inside = scalar(-this.features * Math.log(this.high - this.low));
    // A NaN is neither inside nor outside.
    const unknown = x.equal(x).not().toFloat().sum(1);
    return unknown.greater(0).where(Number.NaN, outside.greater(0).where(Number.NEGATIVE_INFINITY, inside));
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
  about: { name: "uniform", formula: "(high - low)^-D on a box", support: "the box" },
  build: ({ type: _, ...options }) => new Uniform(options),
  examples: (features) => [
    { type: "uniform", features },
    { type: "uniform", features, low: -1.5, high: 2 },
  ],
};
