import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, type Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const laplaceSchema = z.strictObject({ type: z.literal("laplace"), features: sizeSchema });

/**
 * Independent Laplace distributions of D features with learned locations m (their medians) and log-scales s:
 * log p(x) = -sum(|x - m| exp(-s) + s + log 2).
 */
export class Laplace implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logScale: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const { features } = parse(laplaceSchema, { type: "laplace", ...options }, "a Laplace distribution");
    this.features = features;
    this.noise = [{ kind: "uniform", size: features }];
    this.location = new Parameter([features], 0);
    // In this domain, exp(s) and exp(-s) are finite in float32.
    this.logScale = new Parameter([features], 0, { domain: LOGARITHM });
  }

  logProb(x: Tensor): Tensor {
    const standardized = x.sub(this.location).mul(this.logScale.neg().exp());
    return standardized
      .abs()
      .sum(1)
      .neg()
      .sub(this.logScale.sum())
      .sub(this.features * Math.LN2);
  }

  /**
   * m + exp(s) y for uniform u, where y = -sign(u - 1/2) log(2 min(u, 1 - u)) is the inverse CDF of the standard Laplace
   * distribution. 2 min(u, 1 - u) is exact for any floating-point u; the usual 1 - 2 |u - 1/2| may round off the digits of a
   * small u, and with them the lower tail.
   */
  sample([uniform]: readonly Tensor[]): Tensor {
    const isPositive = uniform.greater(0.5);
    const minusAbsolute = isPositive.where(uniform.neg().add(1), uniform).mul(2).log();
    const standard = isPositive.where(minusAbsolute.neg(), minusAbsolute);
    return standard.mul(this.logScale.exp()).add(this.location);
  }

  describe() {
    return { type: "laplace", features: this.features };
  }
}

export const laplaceKind: DistributionKind<typeof laplaceSchema> = {
  schema: laplaceSchema,
  build: (description) => new Laplace(description),
};
