import { z } from "zod";
import type { Tensor } from "../graph/tensor.ts";
import { type Distribution, HALF_LOG_2_PI, type Noise } from "./distribution.ts";

export const standardNormalSchema = z.strictObject({
  type: z.literal("standardNormal"),
  features: z.int().positive(),
});

/** log p(x) = -|x|^2 / 2 - (D / 2) log 2 pi. */
export class StandardNormal implements Distribution {
  readonly features: number;
  readonly noise: readonly Noise[];

  constructor({ features }: { features: number }) {
    this.features = features;
    this.noise = [{ kind: "normal", size: features }];
  }

  logProb(x: Tensor): Tensor {
    return x
      .square()
      .sum(1)
      .mul(-0.5)
      .sub(this.features * HALF_LOG_2_PI);
  }

  sample([normal]: readonly Tensor[]): Tensor {
    return normal;
  }

  describe() {
    return { type: "standardNormal", features: this.features };
  }
}
