import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, logGamma, Parameter, scalar, type Tensor } from "../graph/index.ts";
import { positiveSchema, sizeSchema } from "../parts/index.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

/**
 * The smallest initial exponent. The initial log-scale is log(beta) / beta, whose exponential underflows in float32 for an exponent below
 * about 0.037.
 */
const MIN_EXPONENT = 0.05;

const generalizedNormalSchema = z.strictObject({
  type: z.literal("generalizedNormal"),
  features: sizeSchema,
  /** Initial beta: 2 is the normal and 1 the Laplace distribution; large values approach a uniform distribution. */
  exponent: z._default(positiveSchema.check(z.minimum(MIN_EXPONENT)), 2),
});

/** Limit of log |z|^beta, so that |z|^beta is at most 10^20, as for normal distributions (`MIN_GAUSSIAN_EXPONENT`). */
const MAX_LOG_POWER = 20 * Math.LN10;
/** Below this |z|, |z|^beta is constant and its gradient 0: for beta < 1 the gradient would be infinite at 0. */
const MIN_ABSOLUTE_VALUE = 1e-30;
/** Each proposal is accepted with probability 0.95 or more, so that all six are rejected for at most one in 6 10^7 numbers. */
const PROPOSALS = 6;

/**
 * Independent generalized normal distributions (Subbotin 1923) of D features with learned exponents beta, locations m and
 * log-scales s: log p(x) = -sum(|(x - m) exp(-s)|^beta + s + log 2 + log Gamma(1 + 1/beta)). The initial scale is beta^(1/beta),
 * with which beta = 2 is the standard normal and beta = 1 the standard Laplace distribution.
 */
export class GeneralizedNormal implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logScale: Parameter;
  readonly logExponent: Parameter;
  private readonly initialExponent: number;

  /**
   * `exponent` is the initial beta. Default 2. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or `exponent` is not
   * from 0.05 to 1e30.
   */
  constructor(options: { features: number; exponent?: number }) {
    const description = { type: "generalizedNormal", ...options };
    const { features, exponent } = parse(
      generalizedNormalSchema,
      description,
      "a generalized normal distribution",
    );
    this.features = features;
    this.initialExponent = exponent;
    this.noise = [
      { kind: "uniform", size: features },
      { kind: "normal", size: features * PROPOSALS },
      { kind: "uniform", size: features * PROPOSALS },
    ];
    this.location = new Parameter([features], 0);
    const filled = (value: number) => () => new Float64Array(features).fill(value);
    this.logScale = new Parameter([features], filled(Math.log(exponent) / exponent), { domain: LOGARITHM });
    this.logExponent = new Parameter([features], filled(Math.log(exponent)), { domain: LOGARITHM });
  }

  logProb(x: Tensor): Tensor {
    const absolute = x.sub(this.location).mul(this.logScale.neg().exp()).abs();
    const nearZero = absolute.less(MIN_ABSOLUTE_VALUE);
    const logAbsolute = nearZero.where(MIN_ABSOLUTE_VALUE, absolute).log();
    const power = logAbsolute.mul(this.logExponent.exp()).minimum(MAX_LOG_POWER).exp();
    const logNormalizer = this.logScale.add(logGamma(this.logExponent.neg().exp().add(1)));
    return power
      .add(logNormalizer)
      .sum(1)
      .neg()
      .sub(this.features * Math.LN2);
  }

  /**
   * z is uniform on [-g^(1/beta), g^(1/beta)] with g ~ Gamma(1 + 1/beta). g is drawn by rejection sampling (Marsaglia and Tsang
   * 2000): the proposals are d v with d = 2/3 + 1/beta and v = (1 + e / sqrt(9 d))^3 for normal e, and are accepted if
   * log u < e^2 / 2 + d (1 - v + log v) for uniform u. g is the first accepted proposal, or d if all are rejected.
   */
  sample([uniform, normals, uniforms]: readonly Tensor[]): Tensor {
    const D = this.features;
    const inverse = this.logExponent.neg().exp();
    const d = inverse.add(2 / 3);
    const step = d.mul(9).sqrt().reciprocal();
    let v = scalar(1);
    for (let k = PROPOSALS - 1; k >= 0; k--) {
      const proposalColumns = (t: Tensor) => t.slice(1, k * D, (k + 1) * D);
      const e = proposalColumns(normals);
      const root = e.mul(step).add(1);
      const positive = root.greater(0);
      const safeRoot = positive.where(root, 1);
      const cube = safeRoot.square().mul(safeRoot);
      const bound = cube.neg().add(1).add(safeRoot.log().mul(3)).mul(d).add(e.square().mul(0.5));
      v = positive.and(proposalColumns(uniforms).log().less(bound)).where(cube, v);
    }
    const halfWidth = v.log().add(d.log()).mul(inverse).exp();
    return uniform.mul(2).sub(1).mul(halfWidth).mul(this.logScale.exp()).add(this.location);
  }

  describe() {
    return { type: "generalizedNormal", features: this.features, exponent: this.initialExponent };
  }
}

export const generalizedNormalKind: DistributionKind<typeof generalizedNormalSchema> = {
  schema: generalizedNormalSchema,
  build: ({ type: _, ...options }) => new GeneralizedNormal(options),
};
