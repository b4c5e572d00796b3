import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import {
  type Distribution,
  type DistributionKind,
  HALF_LOG_2_PI,
  halfSquares,
  type Noise,
} from "./distribution.ts";

const standardNormalSchema = z.strictObject({
  type: z.literal("standardNormal"),
  features: sizeSchema,
});

/** log p(x) = -|x|^2 / 2 - (D / 2) log 2 pi, down to -10^20. */
export class StandardNormal implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];

  constructor(options: { features: number }) {
    const description = { type: "standardNormal", ...options };
    const { features } = parse(standardNormalSchema, description, "a standard normal distribution");
    this.features = features;
    this.noise = [{ kind: "normal", size: features }];
  }

  logProb(x: Tensor): Tensor {
    return halfSquares(x).sub(this.features * HALF_LOG_2_PI);
  }

  sample([normal]: readonly Tensor[]): Tensor {
    return normal;
  }

  describe() {
    return { type: "standardNormal", features: this.features };
  }
}

export const standardNormalKind: DistributionKind<typeof standardNormalSchema> = {
  schema: standardNormalSchema,
  build: (description) => new StandardNormal(description),
};
