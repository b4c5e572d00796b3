import { z } from "zod";
import { scoped } from "../graph/scope.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import {
  type Distribution,
  type DistributionKind,
  HALF_LOG_2_PI,
  halfSquares,
  type Noise,
} from "./distribution.ts";

const resampledSchema = z.strictObject({
  type: z.literal("resampled"),
  features: z.int().positive(),
  /** T: the last of so many proposals is taken in any case. */
  truncation: z.int().min(2).default(100),
  /** Points that estimate Z: an even grid of at most so many, or from four features on so many normal numbers. */
  points: z.int().min(64).default(1024),
  /** Of those normal numbers. */
  seed: z.int().nonnegative().default(0),
  network: networkSchema.prefault({ activation: "tanh" }),
});

/**
 * Learned rejection sampling (Bauer and Mnih 2019), the base of resampled flows (Stimper et al. 2022). A standard normal
 * proposal x is taken with probability a(x), a network's sigmoid; if none of T - 1 is, the next one is taken as it is:
 *
 *     log p(x) = log N(x; 0, I) + log((1 - q) a(x) / Z + q),   Z = E a,   q = (1 - Z)^(T - 1).
 *
 * Several modes and holes, which no bijection makes of a normal. Starts with a = 1/2 everywhere: the standard normal.
 *
 * Z is a fixed quadrature, so the density is a function of the parameters alone. Up to three features it is a grid, which is
 * exact to about 10^-9, 10^-6 and 10^-3 for smooth networks (`tanh` is the default for this reason). From four on it is the
 * mean over `points` fixed normal numbers: its relative error, by which the density does not integrate to 1, is about the
 * deviation of a / Z over sqrt(points).
 */
export class Resampled implements Distribution {
  readonly features: number;
  readonly context = 0;
  readonly noise: readonly Noise[];
  readonly network: MLP;
  private readonly options: z.output<typeof resampledSchema>;
  private readonly quadrature: Quadrature;

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(
    options: {
      features: number;
      truncation?: number;
      points?: number;
      seed?: number;
      network?: NetworkOptions;
    },
    random: Random,
  ) {
    this.options = parse(resampledSchema, { type: "resampled", ...options }, "a resampled distribution");
    const { features, truncation, points, seed, network } = this.options;
    this.features = features;
    this.noise = [
      { kind: "normal", size: features * truncation },
      { kind: "uniform", size: truncation - 1 },
    ];
    this.network = new MLP(features, 1, network, random);
    this.quadrature = gridQuadrature(features, points) ?? normalQuadrature(features, points, seed);
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
    const { points, weights } = this.quadrature;
    const nodes = constant(points, [weights.length, this.features]);
    return this.logAcceptance(nodes)
      .add(constant(weights.map(Math.log), [weights.length]))
      .logsumexp();
  }

  describe() {
    return this.options;
  }
}

export const resampledKind: DistributionKind<typeof resampledSchema> = {
  schema: resampledSchema,
  about: {
    name: "resampled normal",
    formula: "N(x; 0, I) ((1 - q) a(x) / Z + q)",
    paper: "Bauer and Mnih 2019; Stimper et al. 2022",
  },
  build: ({ type: _, ...options }, random) => new Resampled(options, random),
  examples: (features) => [
    { type: "resampled", features, truncation: 4, network: { hidden: [8], activation: "tanh" } },
  ],
};

/** Points [S, D] and their weights, which add up to 1, for means under a standard normal. */
interface Quadrature {
  readonly points: Float64Array;
  readonly weights: Float64Array;
}

/** Fewer points an axis are too coarse for a grid. */
const LEAST_PER_AXIS = 10;
/** So many deviations leave out 10^-10 of a normal. */
const REACH = 6.5;

/**
 * The trapezoidal rule on a grid, which for smooth functions under a normal converges exponentially (Trefethen and Weideman
 * 2014). Its step h and its reach R cost exp(-2 pi^2 / h^2) and exp(-R^2 / 2), which are the same here.
 */
function gridQuadrature(features: number, most: number): Quadrature | undefined {
  const size = Math.min(128, Math.floor(most ** (1 / features) + 1e-9));
  if (size < LEAST_PER_AXIS) return undefined;
  const reach = Math.min(REACH, 0.5 * Math.sqrt(4 * Math.PI * (size - 1)));
  const axis = Float64Array.from({ length: size }, (_, i) => reach * ((2 * i) / (size - 1) - 1));
  const count = size ** features;
  const points = new Float64Array(count * features);
  const weights = new Float64Array(count);
  for (let p = 0; p < count; p++) {
    let squares = 0;
    for (let i = 0; i < features; i++) {
      const x = axis[Math.floor(p / size ** i) % size];
      points[p * features + i] = x;
      squares += x * x;
    }
    weights[p] = Math.exp(-0.5 * squares);
  }
  const total = weights.reduce((a, b) => a + b, 0);
  return { points, weights: weights.map((w) => w / total) };
}

function normalQuadrature(features: number, count: number, seed: number): Quadrature {
  const points = new Random(seed).split("resampled").normal(new Float64Array(count * features));
  return { points, weights: new Float64Array(count).fill(1 / count) };
}
