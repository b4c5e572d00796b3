import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import {
  type Distribution,
  type DistributionKind,
  HALF_LOG_2_PI,
  halfSquares,
  type Noise,
} from "./distribution.ts";

const diagonalNormalSchema = z.strictObject({
  type: z.literal("diagonalNormal"),
  features: z.int().positive(),
});

/**
 * Independent normals with learned means m and log-deviations s:
 * log p(x) = -sum((x - m)^2 exp(-2 s) / 2 + s + log(2 pi) / 2), the squares down to -10^20.
 */
export class DiagonalNormal implements Distribution {
  readonly features: number;
  readonly noise: readonly Noise[];
  readonly mean: Parameter;
  readonly logDeviation: Parameter;

  constructor(options: { features: number }) {
    const description = { type: "diagonalNormal", ...options };
    const { features } = parse(diagonalNormalSchema, description, "a diagonal normal distribution");
    this.features = features;
    this.noise = [{ kind: "normal", size: features }];
    this.mean = new Parameter([features], new Float32Array(features));
    this.logDeviation = new Parameter([features], new Float32Array(features));
  }

  logProb(x: Tensor): Tensor {
    const z = x.sub(this.mean).mul(this.logDeviation.neg().exp());
    return halfSquares(z)
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

export const diagonalNormalKind: DistributionKind<typeof diagonalNormalSchema> = {
  schema: diagonalNormalSchema,
  about: { name: "diagonal normal", formula: "prod_i N(x_i; m_i, exp(2 s_i))" },
  build: (description) => new DiagonalNormal(description),
  examples: (features) => [{ type: "diagonalNormal", features }],
};
