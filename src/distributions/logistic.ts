import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const logisticSchema = z.strictObject({ type: z.literal("logistic"), features: sizeSchema });

/** The quantile function of the standard logistic distribution: log u - log(1 - u). */
export const logisticQuantile = (uniform: Tensor): Tensor => uniform.log().sub(uniform.neg().log1p());

/** Independent standard logistic distributions, the prior of NICE: log p(x) = -sum(|x| + 2 log(1 + exp(-|x|))). */
export class Logistic implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const { features } = parse(logisticSchema, { type: "logistic", ...options }, "a logistic distribution");
    this.features = features;
    this.noise = [{ kind: "uniform", size: features }];
  }

  logProb(x: Tensor): Tensor {
    const absolute = x.abs();
    return absolute.neg().softplus().mul(2).add(absolute).sum(1).neg();
  }

  sample([uniform]: readonly Tensor[]): Tensor {
    return logisticQuantile(uniform);
  }

  describe() {
    return { type: "logistic", features: this.features };
  }
}

export const logisticKind: DistributionKind<typeof logisticSchema> = {
  schema: logisticSchema,
  build: (description) => new Logistic(description),
};
