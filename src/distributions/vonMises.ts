import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../description.ts";
import { LOGARITHM, Parameter } from "../graph/parameter.ts";
import { constant, scalar, type Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import { type Distribution, type DistributionKind, type Noise, onSupport } from "./distribution.ts";

const vonMisesSchema = z.strictObject({
  type: z.literal("vonMises"),
  features: sizeSchema,
  /** kappa at the start. */
  concentration: z._default(positiveSchema, 1),
});

/** Each proposal is taken with a probability of 0.657 or more, so one in 3 10^7 numbers is drawn by none of them. */
const PROPOSALS = 16;

/**
 * Independent von Mises distributions of angles in [-pi, pi] with learned directions m and log-concentrations log kappa:
 * log p(x) = sum(kappa cos(x - m) - log(2 pi I_0(kappa))), and -Infinity elsewhere.
 */
export class VonMises implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly support = { min: -Math.PI, max: Math.PI };
  readonly noise: readonly Noise[];
  readonly location: Parameter;
  readonly logConcentration: Parameter;
  private readonly start: number;

  constructor(options: { features: number; concentration?: number }) {
    const description = { type: "vonMises", ...options };
    const { features, concentration } = parse(vonMisesSchema, description, "a von Mises distribution");
    this.features = features;
    this.start = concentration;
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
    // kappa (cos t - 1) = -2 kappa sin(t/2)^2, where the left side would cancel.
    const half = inside.where(x, 0).sub(this.location).mul(0.5);
    const exponent = half.sin().square().mul(kappa).mul(-2);
    const logProb = exponent.sub(logScaledBessel(kappa)).sum(1);
    return onSupport(x, inside, logProb.sub(this.features * Math.log(2 * Math.PI)));
  }

  /**
   * Rejection from a wrapped Cauchy, as Best and Fisher (1979), of another width: t = tan(theta / 2) from a Cauchy of scale
   * 1 / sqrt(1 + 4 kappa). With w = sin(theta / 2)^2 and y = 4 kappa w a proposal is taken where
   * log u < log(1 + y) - y / 2 less the largest value of that. The first that is taken counts; where none is, theta = m.
   */
  sample([angles, uniforms]: readonly Tensor[]): Tensor {
    const D = this.features;
    const concentration = this.logConcentration.exp().mul(4);
    const scale = concentration.add(1).sqrt().reciprocal();
    const highest = concentration.minimum(1);
    const most = highest.log1p().sub(highest.mul(0.5));
    let tangent = scalar(0);
    for (let k = PROPOSALS - 1; k >= 0; k--) {
      const part = (t: Tensor) => t.slice(1, k * D, (k + 1) * D);
      // The cotangent of the angle to the nearer end is exact in both tails.
      const upper = part(angles).greater(0.5);
      const angle = upper.where(part(angles).neg().add(1), part(angles)).mul(Math.PI);
      const size = angle.cos().div(angle.sin()).mul(scale);
      const square = size.square();
      const y = square.div(square.add(1)).mul(concentration);
      const taken = part(uniforms)
        .log()
        .less(y.log1p().sub(y.mul(0.5)).sub(most));
      tangent = taken.where(upper.where(size, size.neg()), tangent);
    }
    const theta = arctangent(tangent).mul(2).add(this.location);
    const turns = theta
      .mul(0.5 / Math.PI)
      .add(0.5)
      .floor();
    return theta.sub(turns.mul(2 * Math.PI));
  }

  describe() {
    return { type: "vonMises", features: this.features, concentration: this.start };
  }
}

export const vonMisesKind: DistributionKind<typeof vonMisesSchema> = {
  schema: vonMisesSchema,
  build: ({ type: _, ...options }) => new VonMises(options),
};

/** Where one formula for the Bessel function gives way to the other: both are exact to 1e-15 there. */
const LARGE = 50;
const NODES = 64;

/**
 * log(exp(-kappa) I_0(kappa)). I_0 is the mean of exp(kappa cos t) around the circle, which equal steps give to
 * exp(-NODES^2 / (2 kappa)); from kappa = 50 on it is its asymptotic series, sum_k ((2k-1)!!)^2 / (k! (8 kappa)^k).
 */
function logScaledBessel(kappa: Tensor): Tensor {
  const D = kappa.shape[0] as number;
  const nodes = Float64Array.from({ length: NODES }, (_, k) => Math.cos((2 * Math.PI * k) / NODES) - 1);
  const small = kappa
    .minimum(LARGE)
    .reshape([D, 1])
    .mul(constant(nodes, [NODES]))
    .logsumexp(1)
    .sub(Math.log(NODES));
  const large = kappa.maximum(LARGE);
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
  return kappa.less(LARGE).where(small, asymptotic);
}

/** atan(t): halved twice by tan(a/2) = t / (1 + sqrt(1 + t^2)) from where |t| <= 1, and then its series. */
function arctangent(t: Tensor): Tensor {
  const beyond = t.abs().greater(1);
  let x = beyond.where(beyond.where(t, 1).reciprocal(), t);
  for (let i = 0; i < 2; i++) x = x.div(x.square().add(1).sqrt().add(1));
  const square = x.square();
  let series = scalar(0);
  for (let k = 27; k >= 1; k -= 2)
    series = square
      .mul(series)
      .neg()
      .add(1 / k);
  const angle = series.mul(x).mul(4);
  return beyond.where(
    t
      .sign()
      .mul(Math.PI / 2)
      .sub(angle),
    angle,
  );
}
