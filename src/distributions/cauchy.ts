import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, type Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const cauchySchema = z.strictObject({ type: z.literal("cauchy"), features: sizeSchema });

/**
 * The quantile function tan(pi (u - 1/2)) of the standard Cauchy distribution, computed as the cotangent of the angle pi min(u, 1 - u),
 * which is precise in both tails.
 */
export function cauchyQuantile(uniform: Tensor): Tensor {
  const upper = uniform.greater(0.5);
  const angle = upper.where(uniform.neg().add(1), uniform).mul(Math.PI);
  const cotangent = angle.cos().div(angle.sin());
  return upper.where(cotangent, cotangent.neg());
}

/**
 * Independent Cauchy distributions of D features with learned medians m and log-scales s:
 * log p(x) = -sum(log(1 + ((x - m) exp(-s))^2) + s + log pi). The tails are so heavy that the mean does not exist.
 */
export class Cauchy implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logScale: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const { features } = parse(cauchySchema, { type: "cauchy", ...options }, "a Cauchy distribution");
    this.features = features;
    this.noise = [{ kind: "uniform", size: features }];
    this.location = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0, { domain: LOGARITHM });
  }

  logProb(x: Tensor): Tensor {
    const absolute = x.sub(this.location).mul(this.logScale.neg().exp()).abs();
    // log(1 + z^2) = 2 log |z| in float32 for large |z|, where z^2 would overflow.
    const large = absolute.greater(1e8);
    const logOnePlusSquare = large.where(
      large.where(absolute, 1).log().mul(2),
      large.where(0, absolute).square().log1p(),
    );
    return logOnePlusSquare
      .sum(1)
      .neg()
      .sub(this.logScale.sum())
      .sub(this.features * Math.log(Math.PI));
  }

  sample([uniform]: readonly Tensor[]): Tensor {
    return cauchyQuantile(uniform).mul(this.logScale.exp()).add(this.location);
  }

  describe() {
    return { type: "cauchy", features: this.features };
  }
}

export const cauchyKind: DistributionKind<typeof cauchySchema> = {
  schema: cauchySchema,
  build: (description) => new Cauchy(description),
};
