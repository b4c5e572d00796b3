import { z } from "zod";
import { scalar, type Tensor } from "../graph/tensor.ts";
import type { Distribution, Noise } from "./distribution.ts";

export const uniformSchema = z
  .strictObject({
    type: z.literal("uniform"),
    features: z.int().positive(),
    low: z.number().default(0),
    high: z.number().default(1),
  })
  .refine(({ low, high }) => low < high, { error: "a uniform distribution needs low < high" });

/** Uniform on the box [low, high]^D: log p = -D log(high - low) inside, -Infinity outside. */
export class Uniform implements Distribution {
  readonly features: number;
  readonly low: number;
  readonly high: number;
  readonly noise: readonly Noise[];

  constructor(options: { features: number; low?: number; high?: number }) {
    const { features, low, high } = uniformSchema.parse({ type: "uniform", ...options });
    this.features = features;
    this.low = low;
    this.high = high;
    this.noise = [{ kind: "uniform", size: features }];
  }

  logProb(x: Tensor): Tensor {
    const outside = x.less(this.low).or(x.greater(this.high)).toFloat().sum(1);
    const inside = scalar(-this.features * Math.log(this.high - this.low));
    return outside.greater(0).where(Number.NEGATIVE_INFINITY, inside);
  }

  sample([uniform]: readonly Tensor[]): Tensor {
    return uniform.mul(this.high - this.low).add(this.low);
  }

  describe() {
    return { type: "uniform", features: this.features, low: this.low, high: this.high };
  }
}
