import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { constant, LOGARITHM, Parameter, scalar, type Tensor } from "../graph/index.ts";
import { positiveSchema, sizeSchema } from "../parts/index.ts";
import { cauchyQuantile } from "./cauchy.ts";
import { type Distribution, type DistributionKind, type Noise, onSupport } from "./distribution.ts";

const vonMisesSchema = z.strictObject({
  type: z.literal("vonMises"),
  features: sizeSchema,
  /** Initial kappa. */
  concentration: z._default(positiveSchema, 1),
});

/** Each proposal is accepted with probability 0.657 or more, so all are rejected for one in 3 10^7 numbers. */
const PROPOSALS = 16;

/**
 * Independent von Mises distributions of D angles in [-pi, pi] with learned mean directions m and log-concentrations log kappa:
 * log p(x) = sum(kappa cos(x - m) - log(2 pi I_0(kappa))), and -Infinity outside of [-pi, pi].
 */
export class VonMises implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly support = { min: -Math.PI, max: Math.PI };
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logConcentration: Parameter;
  private readonly initialConcentration: number;

  /**
   * `concentration` is the initial kappa. Default 1. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or
   * `concentration` is not from 1e-30 to 1e30.
   */
  constructor(options: { features: number; concentration?: number }) {
    const description = { type: "vonMises", ...options };
    const { features, concentration } = parse(vonMisesSchema, description, "a von Mises distribution");
    this.features = features;
    this.initialConcentration = concentration;
    this.noise = [
      { kind: "uniform", size: features * PROPOSALS },
      { kind: "uniform", size: features * PROPOSALS },
    ];
    this.location = new Parameter([features], 0);
    this.logConcentration = new Parameter(
      [features],
      () => new Float64Array(features).fill(Math.log(concentration)),
      { domain: LOGARITHM },
    );
  }

  logProb(x: Tensor): Tensor {
    const inside = x.greaterEqual(-Math.PI).and(x.lessEqual(Math.PI));
    const kappa = this.logConcentration.exp();
    // kappa (cos t - 1) = -2 kappa sin(t/2)^2, which has no cancellation.
    const half = inside.where(x, 0).sub(this.location).mul(0.5);
    const exponent = half.sin().square().mul(kappa).mul(-2);
    const logProb = exponent.sub(logScaledBessel(kappa)).sum(1);
    return onSupport(x, inside, logProb.sub(this.features * Math.log(2 * Math.PI)));
  }

  /**
   * Rejection sampling with wrapped Cauchy proposals, as in Best and Fisher (1979) but with another width: t = tan(theta / 2)
   * is drawn from a Cauchy distribution of scale 1 / sqrt(1 + 4 kappa). With y = 4 kappa sin(theta / 2)^2 and
   * f(y) = log(1 + y) - y / 2, a proposal is accepted if log u < f(y) - max f for uniform u. The sample is the first accepted
   * proposal, or m if all are rejected.
   */
  sample([angles, uniforms]: readonly Tensor[]): Tensor {
    const D = this.features;
    const fourKappa = this.logConcentration.exp().mul(4);
    const scale = fourKappa.add(1).sqrt().reciprocal();
    // f is maximal at y = 1, or at the largest possible y.
    const maximizer = fourKappa.minimum(1);
    const maximum = maximizer.log1p().sub(maximizer.mul(0.5));
    let tangent = scalar(0);
    for (let k = PROPOSALS - 1; k >= 0; k--) {
      const proposalColumns = (t: Tensor) => t.slice(1, k * D, (k + 1) * D);
      const proposal = cauchyQuantile(proposalColumns(angles)).mul(scale);
      const square = proposal.square();
      const y = square.div(square.add(1)).mul(fourKappa);
      const accepted = proposalColumns(uniforms)
        .log()
        .less(y.log1p().sub(y.mul(0.5)).sub(maximum));
      tangent = accepted.where(proposal, tangent);
    }
    const theta = arctangent(tangent).mul(2).add(this.location);
    const revolutions = theta
      .mul(0.5 / Math.PI)
      .add(0.5)
      .floor();
    // Just below pi, `revolutions` can be rounded up to 1, which leads to an angle just below -pi.
    return theta.sub(revolutions.mul(2 * Math.PI)).clip(-Math.PI, Math.PI);
  }

  describe() {
    return { type: "vonMises", features: this.features, concentration: this.initialConcentration };
  }
}

export const vonMisesKind: DistributionKind<typeof vonMisesSchema> = {
  schema: vonMisesSchema,
  build: ({ type: _, ...options }) => new VonMises(options),
};

/** Above this kappa the asymptotic series of I_0 is used instead of quadrature: both have an error of 1e-15 there. */
const MIN_ASYMPTOTIC_KAPPA = 50;
const QUADRATURE_NODES = 64;

/**
 * log(exp(-kappa) I_0(kappa)) for kappa [D]. I_0 is the mean of exp(kappa cos t) over the circle. Quadrature with equal steps has
 * an error of exp(-n^2 / (2 kappa)) for n nodes. From kappa = 50 on the asymptotic series is used: exp(-kappa) I_0(kappa) =
 * sum_k ((2k-1)!!)^2 / (k! (8 kappa)^k) / sqrt(2 pi kappa).
 */
function logScaledBessel(kappa: Tensor): Tensor {
  const D = kappa.shape[0] as number;
  const nodes = Float64Array.from(
    { length: QUADRATURE_NODES },
    (_, k) => Math.cos((2 * Math.PI * k) / QUADRATURE_NODES) - 1,
  );
  const quadrature = kappa
    .minimum(MIN_ASYMPTOTIC_KAPPA)
    .reshape([D, 1])
    .mul(constant(nodes, [QUADRATURE_NODES]))
    .logsumexp(1)
    .sub(Math.log(QUADRATURE_NODES));
  const large = kappa.maximum(MIN_ASYMPTOTIC_KAPPA);
  const inverse = large.mul(8).reciprocal();
  let series = scalar(1);
  for (let k = 12; k >= 1; k--)
    series = inverse
      .mul(series)
      .mul((2 * k - 1) ** 2 / k)
      .add(1);
  const asymptotic = series.log().sub(
    large
      .mul(2 * Math.PI)
      .log()
      .mul(0.5),
  );
  return kappa.less(MIN_ASYMPTOTIC_KAPPA).where(quadrature, asymptotic);
}

/**
 * atan(t), which graphs have no operation for. |t| > 1 is reduced to 1 / t, the angle a is halved twice by
 * tan(a/2) = tan(a) / (1 + sqrt(1 + tan(a)^2)), and then the Taylor series is summed.
 */
function arctangent(t: Tensor): Tensor {
  const large = t.abs().greater(1);
  let x = large.where(large.where(t, 1).reciprocal(), t);
  for (let i = 0; i < 2; i++) x = x.div(x.square().add(1).sqrt().add(1));
  const square = x.square();
  let series = scalar(0);
  for (let k = 27; k >= 1; k -= 2)
    series = square
      .mul(series)
      .neg()
      .add(1 / k);
  const angle = series.mul(x).mul(4);
  return large.where(
    t
      .sign()
      .mul(Math.PI / 2)
      .sub(angle),
    angle,
  );
}
