import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import { logGamma } from "../graph/special.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Distribution, Noise } from "./distribution.ts";

export const studentTSchema = z.strictObject({
  type: z.literal("studentT"),
  features: z.int().positive(),
  /** Degrees of freedom at the start. */
  degreesOfFreedom: z.number().positive().default(5),
});

/**
 * Independent Student t with learned degrees of freedom nu (above 0), means m and log-scales s, for heavy tails:
 * log p(x) = sum(log Gamma((nu+1)/2) - log Gamma(nu/2) - log(nu pi)/2 - s - (nu+1)/2 log(1 + ((x-m) exp(-s))^2 / nu)).
 */
export class StudentT implements Distribution {
  readonly features: number;
  readonly noise: readonly Noise[];
  readonly mean: Parameter;
  readonly logScale: Parameter;
  readonly logDegreesOfFreedom: Parameter;
  private readonly start: number;

  constructor(options: { features: number; degreesOfFreedom?: number }) {
    const { features, degreesOfFreedom } = studentTSchema.parse({ type: "studentT", ...options });
    this.features = features;
    this.start = degreesOfFreedom;
    this.noise = [
      { kind: "uniform", size: features },
      { kind: "uniform", size: features },
    ];
    this.mean = new Parameter([features], new Float32Array(features));
    this.logScale = new Parameter([features], new Float32Array(features));
    this.logDegreesOfFreedom = new Parameter(
      [features],
      new Float32Array(features).fill(Math.log(degreesOfFreedom)),
    );
  }

  logProb(x: Tensor): Tensor {
    const nu = this.logDegreesOfFreedom.exp();
    const half = nu.add(1).mul(0.5);
    const norm = logGamma(half)
      .sub(logGamma(nu.mul(0.5)))
      .sub(nu.mul(Math.PI).log().mul(0.5))
      .sub(this.logScale);
    const z = x.sub(this.mean).mul(this.logScale.neg().exp());
    // For large |z| the square would overflow: log(1 + z^2/nu) = 2 log|z| - log nu + log(1 + nu/z^2).
    const far = z.abs().greater(1e6);
    const near = far.where(0, z).square().div(nu).log1p();
    const away = far.where(z, 1).abs().log().mul(2).sub(nu.log());
    return norm.sub(half.mul(far.where(away, near))).sum(1);
  }

  /** Bailey (1994): cos(2 pi v) sqrt(nu (u^(-2/nu) - 1)) for uniform u, v. */
  sample([u, v]: readonly Tensor[]): Tensor {
    const nu = this.logDegreesOfFreedom.exp();
    const radius = u.log().mul(-2).div(nu).expm1().mul(nu).sqrt();
    const t = radius.mul(v.mul(2 * Math.PI).cos());
    return t.mul(this.logScale.exp()).add(this.mean);
  }

  describe() {
    return { type: "studentT", features: this.features, degreesOfFreedom: this.start };
  }
}
