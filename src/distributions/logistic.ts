import { z } from "zod";
import type { Tensor } from "../graph/tensor.ts";
import type { Distribution, Noise } from "./distribution.ts";

export const logisticSchema = z.strictObject({ type: z.literal("logistic"), features: z.int().positive() });

/** Independent standard logistics, NICE's prior: log p(x) = -sum(|x| + 2 log(1 + exp(-|x|))). */
export class Logistic implements Distribution {
  readonly features: number;
  readonly noise: readonly Noise[];

  constructor({ features }: { features: number }) {
    this.features = features;
    this.noise = [{ kind: "uniform", size: features }];
  }

  logProb(x: Tensor): Tensor {
    // Even in x; written through softplus(-x) so that nothing cancels.
    return x.neg().softplus().mul(2).add(x).sum(1).neg();
  }

  sample([uniform]: readonly Tensor[]): Tensor {
    return uniform.log().sub(uniform.neg().log1p());
  }

  describe() {
    return { type: "logistic", features: this.features };
  }
}
