import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../description.ts";
import { LOGARITHM, Parameter } from "../graph/parameter.ts";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { logGamma } from "../numerics/logGamma.ts";
import { parse } from "../parse.ts";
import type { Distribution, DistributionKind, Noise } from "./distribution.ts";

const generalizedNormalSchema = z.strictObject({
  type: z.literal("generalizedNormal"),
  features: sizeSchema,
  /** beta at the start: 2 is the normal, 1 the Laplace distribution, and the larger the more uniform. */
  exponent: z._default(positiveSchema, 2),
});

/** |z|^beta stops growing here, at 10^20, as the squares of normals do. */
const LARGEST_EXPONENT = 20 * Math.LN10;
/** Nearer to 0 than this |z|^beta has no slope: for beta < 1 it would be infinite at 0. */
const SMALLEST = 1e-30;
/** Each proposal is taken with a probability of 0.95 or more, so one in 7 10^7 numbers is drawn by none of them. */
const PROPOSALS = 6;

/**
 * Independent generalized normals (Subbotin 1923) with learned exponents beta, locations m and log-scales s:
 * log p(x) = -sum(|(x - m) exp(-s)|^beta + s + log 2 + log Gamma(1 + 1/beta)).
 * Starts with scale beta^(1/beta), which for beta = 2 is the standard normal and for beta = 1 the standard Laplace.
 */
export class GeneralizedNormal implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logScale: Parameter;
  readonly logExponent: Parameter;
  private readonly start: number;

  constructor(options: { features: number; exponent?: number }) {
    const description = { type: "generalizedNormal", ...options };
    const { features, exponent } = parse(
      generalizedNormalSchema,
      description,
      "a generalized normal distribution",
    );
    this.features = features;
    this.start = exponent;
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
    const size = x.sub(this.location).mul(this.logScale.neg().exp()).abs();
    const atZero = size.less(SMALLEST);
    const logSize = atZero.where(SMALLEST, size).log();
    const power = logSize.mul(this.logExponent.exp()).minimum(LARGEST_EXPONENT).exp();
    const logNormalizer = this.logScale.add(logGamma(this.logExponent.neg().exp().add(1)));
    return power
      .add(logNormalizer)
      .sum(1)
      .neg()
      .sub(this.features * Math.LN2);
  }

  /**
   * z is uniform on [-g^(1/beta), g^(1/beta)] for g from Gamma(1 + 1/beta), which comes from proposals of Marsaglia and Tsang
   * (2000): d v with d = 2/3 + 1/beta and v = (1 + e / sqrt(9 d))^3, taken where log u < e^2 / 2 + d (1 - v + log v). The first
   * that is taken counts. Where none is (see above), g = d.
   */
  sample([uniform, normals, uniforms]: readonly Tensor[]): Tensor {
    const D = this.features;
    const inverse = this.logExponent.neg().exp();
    const d = inverse.add(2 / 3);
    const step = d.mul(9).sqrt().reciprocal();
    let v = scalar(1);
    for (let k = PROPOSALS - 1; k >= 0; k--) {
      const part = (t: Tensor) => t.slice(1, k * D, (k + 1) * D);
      const e = part(normals);
      const root = e.mul(step).add(1);
      const valid = root.greater(0);
      const proposed = valid.where(root, 1);
      const cube = proposed.square().mul(proposed);
      const bound = cube.neg().add(1).add(proposed.log().mul(3)).mul(d).add(e.square().mul(0.5));
      v = valid.and(part(uniforms).log().less(bound)).where(cube, v);
    }
    const reach = v.log().add(d.log()).mul(inverse).exp();
    return uniform.mul(2).sub(1).mul(reach).mul(this.logScale.exp()).add(this.location);
  }

  describe() {
    return { type: "generalizedNormal", features: this.features, exponent: this.start };
  }
}

export const generalizedNormalKind: DistributionKind<typeof generalizedNormalSchema> = {
  schema: generalizedNormalSchema,
  build: ({ type: _, ...options }) => new GeneralizedNormal(options),
};
