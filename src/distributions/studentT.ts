import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, scalar, type Tensor } from "../graph/index.ts";
import { positiveSchema, sizeSchema } from "../parts/index.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const studentTSchema = z.strictObject({
  type: z.literal("studentT"),
  features: sizeSchema,
  /** Initial nu. */
  degreesOfFreedom: z._default(positiveSchema, 5),
});

/** Limit of the exponent in `sample`: samples are at most about sqrt(nu exp(80)), 2e17 sqrt(nu), so that float32 does not overflow. */
const MAX_EXPONENT = 80;

/**
 * Independent Student t distributions of D features with learned degrees of freedom nu > 0, locations m and log-scales s:
 * log p(x) = sum(log Gamma((nu+1)/2) - log Gamma(nu/2) - log(nu pi)/2 - s - (nu+1)/2 log(1 + ((x-m) exp(-s))^2 / nu)).
 */
export class StudentT implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  /** The locations, which are the means if nu > 1. */
  readonly mean: Parameter;
  readonly logScale: Parameter;
  readonly logDegreesOfFreedom: Parameter;
  private readonly initialDegreesOfFreedom: number;

  /**
   * `degreesOfFreedom` is the initial nu. Default 5. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or
   * `degreesOfFreedom` is not from 1e-30 to 1e30.
   */
  constructor(options: { features: number; degreesOfFreedom?: number }) {
    const description = { type: "studentT", ...options };
    const { features, degreesOfFreedom } = parse(studentTSchema, description, "a Student t distribution");
    this.features = features;
    this.initialDegreesOfFreedom = degreesOfFreedom;
    this.noise = [
      { kind: "uniform", size: features },
      { kind: "uniform", size: features },
    ];
    this.mean = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0, { domain: LOGARITHM });
    this.logDegreesOfFreedom = new Parameter([features], Math.log(degreesOfFreedom), {
      domain: LOGARITHM,
    });
  }

  logProb(x: Tensor): Tensor {
    const nu = this.logDegreesOfFreedom.exp();
    const z = x.sub(this.mean).mul(this.logScale.neg().exp());
    // With u = |z| / sqrt(nu), log(1 + u^2) = 2 log u in float32 for large u, where u^2 would overflow.
    const u = z.abs().div(nu.sqrt());
    const large = u.greater(1e8);
    const forSmall = large.where(0, u).square().log1p();
    const forLarge = large.where(u, 1).log().mul(2);
    const logKernel = large.where(forLarge, forSmall).mul(nu.add(1).mul(0.5));
    return logNormalizer(nu).sub(this.logScale).sub(logKernel).sum(1);
  }

  /** cos(2 pi v) sqrt(nu (u^(-2/nu) - 1)) for uniform u and v (Bailey 1994). */
  sample([u, v]: readonly Tensor[]): Tensor {
    const nu = this.logDegreesOfFreedom.exp();
    const radius = u.log().mul(-2).div(nu).minimum(MAX_EXPONENT).expm1().mul(nu).sqrt();
    const t = radius.mul(v.mul(2 * Math.PI).cos());
    return t.mul(this.logScale.exp()).add(this.mean);
  }

  describe() {
    return { type: "studentT", features: this.features, degreesOfFreedom: this.initialDegreesOfFreedom };
  }
}

export const studentTKind: DistributionKind<typeof studentTSchema> = {
  schema: studentTSchema,
  build: ({ type: _, ...options }) => new StudentT(options),
};

/**
 * log Gamma((nu + 1) / 2) - log Gamma(nu / 2) - log(nu pi) / 2, computed without large terms that cancel. With x = nu / 2
 *
 *     Gamma(x + 1/2) / Gamma(x) = Gamma(x + 8 + 1/2) / Gamma(x + 8) prod_{k<8} (x + k) / (x + k + 1/2),
 *
 * and the logarithm of the ratio at y = x + 8 is the asymptotic series log y / 2 - 1/(8 y) + 1/(192 y^3) - ... (error below
 * 1e-14).
 */
function logNormalizer(nu: Tensor): Tensor {
  const x = nu.mul(0.5);
  let product = scalar(1);
  for (let k = 0; k < 8; k++) product = product.mul(x.add(k).reciprocal().mul(0.5).add(1));
  const y = x.add(8);
  const inverse = y.reciprocal();
  const series = SERIES.slice(1).reduce((sum, c) => inverse.square().mul(sum).add(c), scalar(SERIES[0]));
  return inverse
    .mul(series)
    .sub(product.log())
    .add(x.reciprocal().mul(8).log1p().mul(0.5))
    .sub(0.5 * Math.log(2 * Math.PI));
}

/** Coefficients of y^-13, y^-11, ..., y^-1 in the asymptotic series. */
const SERIES = [-5461 / 851968, 691 / 180224, -31 / 18432, 17 / 14336, -1 / 640, 1 / 192, -1 / 8];
