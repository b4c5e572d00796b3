import * as z from "zod/mini";
import { checkOptions, integerFrom, parse, seedValue } from "../check/index.ts";
import { constant, drawForBatch, isTraining, scoped, type Tensor } from "../graph/index.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/index.ts";
import { sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/index.ts";
import {
  type Distribution,
  type DistributionKind,
  gaussianExponent,
  HALF_LOG_2_PI,
  type Noise,
} from "./distribution.ts";

/** Numbers of quadrature nodes. They take no space in a model file, so they are not bounded by its size. */
const pointsSchema = z.int().check(z.minimum(64), z.maximum(2 ** 18));

/** Rows per evaluation in `totalMass`, which limits the activations of each layer to a few MB. */
const TOTAL_MASS_CHUNK_ROWS = 8192;
/** Limit of D times the number of quadrature nodes: 80 MB in float64. */
const MAX_QUADRATURE_NUMBERS = 10_000_000;

const resampledSchema = z
  .strictObject({
    type: z.literal("resampled"),
    features: sizeSchema,
    truncation: z._default(sizeSchema.check(z.minimum(2), z.maximum(1000)), 100),
    points: z.optional(pointsSchema),
    trainingPoints: z._default(pointsSchema, 1024),
    network: z.prefault(networkSchema, { activation: "tanh" }),
  })
  .check(
    z.refine(({ features, points = 0 }) => features * points <= MAX_QUADRATURE_NUMBERS, {
      path: ["points"],
      error: () => `at most ${MAX_QUADRATURE_NUMBERS} / features`,
    }),
  );

/** Options of `Resampled`. */
export interface ResampledOptions {
  /** D, the number of features. */
  features: number;
  /**
   * T, the maximal number of proposals, from 2 to 1000: the last proposal is always accepted. A sample takes noise for all T
   * proposals. Default 100.
   */
  truncation?: number | undefined;
  /**
   * Number of quadrature nodes for Z outside of training, from 64 to 2^18. Default 65,536, or fewer for more than 152 features.
   * With one feature at most 4,096 nodes are used.
   */
  points?: number | undefined;
  /** Number of normal samples for Z in each training batch, from 64 to 2^18. Default 1024. */
  trainingPoints?: number | undefined;
  /** The network of the acceptance probability. Default two hidden layers of 64 units with tanh. */
  network?: NetworkOptions | undefined;
}

/**
 * Learned accept/reject sampling (Bauer and Mnih 2019), the base distribution of resampled flows (Stimper et al. 2022). A
 * standard normal proposal x is accepted with probability a(x), the sigmoid of a network. If T - 1 proposals are rejected, the
 * next one is accepted unconditionally:
 *
 *     log p(x) = log N(x; 0, I) + log((1 - q) a(x) / Z + q),   Z = E a,   q = (1 - Z)^(T - 1).
 *
 * It can have several modes and holes, which no bijection of a normal distribution can represent. Initially a = 1/2
 * everywhere, which is the standard normal distribution.
 *
 * Training estimates Z from new normal samples in every batch: with fixed nodes, the network would learn to be small at the
 * nodes, and the density would integrate to more than 1. Outside of training, Z comes from a fixed quadrature whose nodes
 * training does not use, so that the density depends only on the parameters. The nodes are a grid for one and two features,
 * and quasi-random normal numbers for more. `totalMass` estimates the integral of the density.
 */
export class Resampled implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly network: MLP;
  private readonly options: z.output<typeof resampledSchema>;

  /** Throws `ARGUMENT` if the options are invalid. */
  constructor(options: ResampledOptions, random: Random) {
    this.options = parse(resampledSchema, { type: "resampled", ...options }, "a resampled distribution");
    const { features, truncation, network } = this.options;
    this.features = features;
    this.noise = [
      { kind: "normal", size: features * truncation },
      { kind: "uniform", size: truncation - 1 },
    ];
    this.network = new MLP(features, 1, network, random);
  }

  logProb(x: Tensor): Tensor {
    const logZ = this.logNormalizer();
    // Z is clamped to at most 1 - 10^-6, so that log q = (T - 1) log(1 - Z) is finite.
    const logQ = logZ
      .exp()
      .minimum(1 - 1e-6)
      .neg()
      .log1p()
      .mul(this.options.truncation - 1);
    const logOneMinusQ = logQ.expm1().neg().log();
    const logAccepted = this.logAcceptance(x).sub(logZ).add(logOneMinusQ);
    return gaussianExponent(x)
      .sub(this.features * HALF_LOG_2_PI)
      .add(logAccepted.sub(logQ).softplus())
      .add(logQ);
  }

  /** Computes the acceptance of all T proposals at once, and selects the first accepted one. */
  sample([normal, uniform]: readonly Tensor[]): Tensor {
    const { features: D } = this;
    const { truncation: T } = this.options;
    const proposals = normal.reshape(["N", T, D]);
    const acceptance = this.logAcceptance(proposals.slice(1, 0, T - 1));
    const acceptedBeforeLast = uniform.log().less(acceptance).toFloat().pad(1, 0, 1);
    const last = constant([...new Array(T - 1).fill(0), 1], [T]);
    const accepted = acceptedBeforeLast.add(last);
    const firstAccepted = accepted.mul(accepted.cumsum(1).equal(1).toFloat());
    return firstAccepted.reshape(["N", T, 1]).mul(proposals).sum(1);
  }

  /** log a(x): [..., D] -> [...]. */
  private logAcceptance(x: Tensor): Tensor {
    const logit = scoped("network", () => this.network.apply(x));
    return logit.reshape(logit.shape.slice(0, -1)).neg().softplus().neg();
  }

  /** log Z, a scalar. */
  private logNormalizer(): Tensor {
    const { features: D } = this;
    const { points = Math.min(65_536, Math.floor(MAX_QUADRATURE_NUMBERS / D)), trainingPoints: S } =
      this.options;
    if (isTraining()) {
      const draws = drawForBatch([S, D], ({ random }) => random.normal(new Float64Array(S * D)));
      return this.logAcceptance(draws).logsumexp().sub(Math.log(S));
    }
    const { nodes, weights } = quadrature(D, points);
    return this.logAcceptance(constant(nodes, [weights.length, D]))
      .add(constant(weights.map(Math.log), [weights.length]))
      .logsumexp();
  }

  /**
   * Estimates the integral of the density, which is (1 - q) Z / Z' + q if the quadrature computes Z' instead of Z. Z is
   * estimated from `draws` independent normal samples, by default 2^20, with `seed`, by default 0. Returns the integral and its standard
   * error. Throws `ARGUMENT` if the options are not valid, such as fewer than 2 draws.
   */
  async totalMass(options: { draws?: number; seed?: number } = {}): Promise<{
    mass: number;
    standardError: number;
  }> {
    checkOptions("totalMass", options, { draws: integerFrom(2), seed: seedValue });
    const { draws = 2 ** 20, seed = 0 } = options;
    const { features: D } = this;
    const random = new Random(seed).split("total mass");
    const float64 = { precision: "float64" } as const;
    const acceptance = compile((x: Tensor) => this.logAcceptance(x).exp(), [["N", D]], float64);
    const normalizer = compile(() => this.logNormalizer().exp(), [], float64);
    try {
      const [quadratureZ] = await normalizer();
      let sum = 0;
      let squares = 0;
      for (let start = 0; start < draws; start += TOTAL_MASS_CHUNK_ROWS) {
        const rows = Math.min(TOTAL_MASS_CHUNK_ROWS, draws - start);
        const normal = random.normal(new Float64Array(rows * D), { offset: start * D });
        for (const a of await acceptance(normal)) {
          sum += a;
          squares += a * a;
        }
      }
      const Z = sum / draws;
      const error = Math.sqrt(Math.max(0, squares / draws - Z * Z) / (draws - 1));
      const q = (1 - quadratureZ) ** (this.options.truncation - 1);
      return { mass: ((1 - q) * Z) / quadratureZ + q, standardError: ((1 - q) * error) / quadratureZ };
    } finally {
      await acceptance.release();
      await normalizer.release();
    }
  }

  describe() {
    return this.options;
  }
}

export const resampledKind: DistributionKind<typeof resampledSchema> = {
  schema: resampledSchema,
  build: ({ type: _, ...options }, random) => new Resampled(options, random),
};

/** Nodes [S, D] and weights [S] with sum 1 for expectations under the standard normal distribution. */
interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const quadrature = (features: number, points: number): Quadrature =>
  features <= 2 ? gridQuadrature(features, points) : quasiRandomQuadrature(features, points);

/** Half the width of the grid in standard deviations: a share of 10^-10 of the normal distribution is outside. */
const MAX_HALF_WIDTH = 6.5;
/** A finer grid in one dimension would exceed the precision of float32. */
const MAX_POINTS_PER_AXIS = 4096;

/**
 * The trapezoidal rule on a grid, which converges exponentially for smooth functions under a normal weight (Trefethen and
 * Weideman 2014). A step h causes an error of exp(-2 pi^2 / h^2), and a half-width R one of exp(-R^2 / 2). With few points, R is
 * chosen so that both are equal: R = sqrt(pi (n - 1)) for n nodes of an axis.
 */
function gridQuadrature(features: number, points: number): Quadrature {
  const size = Math.min(MAX_POINTS_PER_AXIS, Math.floor(points ** (1 / features) + 1e-9));
  const halfWidth = Math.min(MAX_HALF_WIDTH, Math.sqrt(Math.PI * (size - 1)));
  const axis = Float64Array.from({ length: size }, (_, i) => halfWidth * ((2 * i) / (size - 1) - 1));
  const count = size ** features;
  const nodes = new Float64Array(count * features);
  const weights = new Float64Array(count);
  for (let p = 0; p < count; p++) {
    let squares = 0;
    for (let i = 0; i < features; i++) {
      const x = axis[Math.floor(p / size ** i) % size];
      nodes[p * features + i] = x;
      squares += x * x;
    }
    weights[p] = Math.exp(-0.5 * squares);
  }
  const total = weights.reduce((a, b) => a + b, 0);
  return { nodes, weights: weights.map((w) => w / total) };
}

/**
 * Quasi-random normal numbers of equal weight: the additive recurrence with powers of 1 / phi, where phi^(d+1) = phi + 1
 * (Roberts 2018), on the unit cube, followed by the Box-Muller transform of pairs of coordinates.
 */
function quasiRandomQuadrature(features: number, count: number): Quadrature {
  const pairs = Math.ceil(features / 2);
  const dimension = 2 * pairs;
  let phi = 2;
  for (let i = 0; i < 60; i++) phi = (1 + phi) ** (1 / (dimension + 1));
  const steps = Array.from({ length: dimension }, (_, i) => phi ** -(i + 1) % 1);
  const nodes = new Float64Array(count * features);
  for (let p = 0; p < count; p++) {
    const uniform = (i: number) => (0.5 + (p + 1) * steps[i]) % 1;
    for (let k = 0; k < pairs; k++) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform(2 * k)));
      const angle = 2 * Math.PI * uniform(2 * k + 1);
      nodes[p * features + 2 * k] = radius * Math.cos(angle);
      if (2 * k + 1 < features) nodes[p * features + 2 * k + 1] = radius * Math.sin(angle);
    }
  }
  return { nodes, weights: new Float64Array(count).fill(1 / count) };
}
