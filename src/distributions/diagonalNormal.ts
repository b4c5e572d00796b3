import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Distribution, HALF_LOG_2_PI, type Noise } from "./distribution.ts";

export const diagonalNormalSchema = z.strictObject({
  type: z.literal("diagonalNormal"),
  features: z.int().positive(),
});

/** Independent normals with learned means and log-deviations s: log p(x) = -sum((x - m)^2 exp(-2 s) / 2 + s + log(2 pi) / 2). */
export class DiagonalNormal implements Distribution {
  readonly features: number;
  readonly noise: readonly Noise[];
  readonly mean: Parameter;
  readonly logDeviation: Parameter;

  constructor({ features }: { features: number }) {
    this.features = features;
    this.noise = [{ kind: "normal", size: features }];
    this.mean = new Parameter([features], new Float32Array(features));
    this.logDeviation = new Parameter([features], new Float32Array(features));
  }

  logProb(x: Tensor): Tensor {
    const z = x.sub(this.mean).mul(this.logDeviation.neg().exp());
    return z
      .square()
      .sum(1)
      .mul(-0.5)
      .sub(this.logDeviation.sum())
      .sub(this.features * HALF_LOG_2_PI);
  }

  sample([normal]: readonly Tensor[]): Tensor {
    return normal.mul(this.logDeviation.exp()).add(this.mean);
  }

  describe() {
    return { type: "diagonalNormal", features: this.features };
  }
}
