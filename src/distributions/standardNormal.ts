import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import {
  type Distribution,
  type DistributionKind,
  gaussianExponent,
  HALF_LOG_2_PI,
  type Noise,
} from "./distribution.ts";

const standardNormalSchema = z.strictObject({
  type: z.literal("standardNormal"),
  features: sizeSchema,
});

/**
 * Standard normal distribution of D features: log p(x) = -|x|^2 / 2 - D log(2 pi) / 2, in nats. `logProb` clamps -|x|^2 / 2 to at
 * least -10^20, so that neither it nor its gradient overflows in float32 for rows that are extremely far from 0.
 */
export class StandardNormal implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const description = { type: "standardNormal", ...options };
    const { features } = parse(standardNormalSchema, description, "a standard normal distribution");
    this.features = features;
    this.noise = [{ kind: "normal", size: features }];
  }

  logProb(x: Tensor): Tensor {
    return gaussianExponent(x).sub(this.features * HALF_LOG_2_PI);
  }

  /**
   * Returns its argument, which already has this distribution: a graph draws no random numbers itself, but receives the `noise`
   * that its distribution declares as inputs [N, size].
   */
  sample([standardNormalNoise]: readonly Tensor[]): Tensor {
    return standardNormalNoise;
  }

  describe() {
    return { type: "standardNormal", features: this.features };
  }
}

export const standardNormalKind: DistributionKind<typeof standardNormalSchema> = {
  schema: standardNormalSchema,
  build: (description) => new StandardNormal(description),
};
