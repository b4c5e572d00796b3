import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { drawForBatch, isTraining } from "../graph/tracing/drawn.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import {
  type Distribution,
  type DistributionKind,
  HALF_LOG_2_PI,
  halfSquares,
  type Noise,
} from "./distribution.ts";

/** Draws that `totalMass` evaluates at a time: a few MB for each layer of the network. */
const MASS_CHUNK = 8192;
/** Numbers of all quadrature nodes together: 80 MB. */
const MAX_COORDINATES = 10_000_000;

const resampledSchema = z
  .strictObject({
    type: z.literal("resampled"),
    features: sizeSchema,
    truncation: z._default(sizeSchema.check(z.minimum(2), z.maximum(1000)), 100),
    points: z.optional(sizeSchema.check(z.minimum(64), z.maximum(2 ** 18))),
    trainingPoints: z._default(sizeSchema.check(z.minimum(64), z.maximum(2 ** 18)), 1024),
    network: z.prefault(networkSchema, { activation: "tanh" }),
  })
  .check(
    z.refine(({ features, points = 0 }) => features * points <= MAX_COORDINATES, {
      path: ["points"],
      error: () => `at most ${MAX_COORDINATES} divided by the number of features`,
    }),
  );

/** Options of `Resampled`. */
export interface ResampledOptions {
  /** D, the number of columns of a row. */
  features: number;
  /**
   * T, from 2 to 1000: proposal number T is accepted in any case. A row that is drawn takes noise for all T. Default
   * 100.
   */
  truncation?: number;
  /**
   * Quadrature nodes for Z when a density is evaluated, from 64 to 2^18. Default 65,536, and fewer for more than 152
   * features.
   */
  points?: number;
  /** Normal draws for Z in each training batch, from 64 to 2^18. Default 1024. */
  trainingPoints?: number;
  /** The network of the acceptance probability. Default two hidden layers of 64 units with tanh. */
  network?: NetworkOptions;
}

/**
 * Learned rejection sampling (Bauer and Mnih 2019), the base of resampled flows (Stimper et al. 2022). A standard normal
 * proposal x is accepted with probability a(x), the sigmoid of a network; if T - 1 proposals are rejected, the next one is
 * accepted unconditionally:
 *
 *     log p(x) = log N(x; 0, I) + log((1 - q) a(x) / Z + q),   Z = E a,   q = (1 - Z)^(T - 1).
 *
 * It has several modes and holes, which no bijection can make of a normal distribution. It starts with a = 1/2 everywhere,
 * which is the standard normal.
 *
 * Training estimates Z from normal draws that are new in every batch, since a network would learn to be small at fixed nodes,
 * and the density would then integrate to more than 1. Everywhere else Z comes from a fixed quadrature with nodes that
 * training never sees, so the density is a function of the parameters alone: a grid for one and two features, quasi-random
 * normal numbers for more. `totalMass` measures what the density integrates to.
 */
export class Resampled implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly network: MLP;
  private readonly options: z.output<typeof resampledSchema>;

  /** Throws `ARGUMENT` if the options do not fit. */
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
    // q is below 1: with Z at most 1 - 10^-6 it is a number, and with Z above 0 it leaves something to a.
    const logNone = logZ
      .exp()
      .minimum(1 - 1e-6)
      .neg()
      .log1p()
      .mul(this.options.truncation - 1);
    const logSome = logNone.expm1().neg().log();
    const taken = this.logAcceptance(x).sub(logZ).add(logSome);
    return halfSquares(x)
      .sub(this.features * HALF_LOG_2_PI)
      .add(taken.sub(logNone).softplus())
      .add(logNone);
  }

  /** All T proposals are judged at once, and the first that is taken is the row. */
  sample([normal, uniform]: readonly Tensor[]): Tensor {
    const { features: D } = this;
    const { truncation: T } = this.options;
    const proposals = normal.reshape(["N", T, D]);
    const acceptance = this.logAcceptance(proposals.slice(1, 0, T - 1));
    const taken = uniform.log().less(acceptance).toFloat().pad(1, 0, 1);
    const last = constant([...new Array(T - 1).fill(0), 1], [T]);
    const all = taken.add(last);
    const first = all.mul(all.cumsum(1).equal(1).toFloat());
    return first.reshape(["N", T, 1]).mul(proposals).sum(1);
  }

  /** log a(x) for x [..., D]: [...]. */
  private logAcceptance(x: Tensor): Tensor {
    const logit = scoped("network", () => this.network.apply(x));
    return logit.reshape(logit.shape.slice(0, -1)).neg().softplus().neg();
  }

  /** log Z, a scalar. */
  private logNormalizer(): Tensor {
    const { features: D } = this;
    const { points = Math.min(65_536, Math.floor(MAX_COORDINATES / D)), trainingPoints: S } = this.options;
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
   * The integral of the density as it is computed, (1 - q) Z / Z' + q with the Z' of the quadrature, and its standard error:
   * Z is measured with independent normal draws, 2^20 by default.
   */
  async totalMass(options: { draws?: number; seed?: number } = {}): Promise<{
    mass: number;
    standardError: number;
  }> {
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
      for (let start = 0; start < draws; start += MASS_CHUNK) {
        const rows = Math.min(MASS_CHUNK, draws - start);
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

/** Nodes [S, D] and weights [S], which sum to 1, for expectations under a standard normal. */
interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const quadrature = (features: number, points: number): Quadrature =>
  features <= 2 ? gridQuadrature(features, points) : quasiRandomQuadrature(features, points);

/** The half-width of the grid, in deviations: 10^-10 of a normal lies outside. */
const MAX_REACH = 6.5;
/** A finer axis in one dimension would resolve more than float32 does. */
const MAX_POINTS_PER_AXIS = 4096;

/**
 * The trapezoidal rule on a grid, which converges exponentially for smooth functions under a normal (Trefethen and Weideman
 * 2014). A step h and a reach R cost exp(-2 pi^2 / h^2) and exp(-R^2 / 2), which coincide for few points.
 */
function gridQuadrature(features: number, points: number): Quadrature {
  const size = Math.min(MAX_POINTS_PER_AXIS, Math.floor(points ** (1 / features) + 1e-9));
  const reach = Math.min(MAX_REACH, 0.5 * Math.sqrt(4 * Math.PI * (size - 1)));
  const axis = Float64Array.from({ length: size }, (_, i) => reach * ((2 * i) / (size - 1) - 1));
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
 * Quasi-random normal numbers of equal weight: the additive recurrence with the powers of 1 / phi, phi^(d+1) = phi + 1 (Roberts
 * 2018), on the unit cube, and the transform of Box and Muller from pairs of coordinates to pairs of normal numbers.
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
