import type { DataRows, OuterStandardization, Support } from "../bijections/index.ts";
import type { Limits } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import type { Description, Kind, KindSchema } from "../parts/index.ts";

/** Random numbers that sampling a row needs: `size` standard normal or uniform (0, 1) numbers. */
export interface Noise {
  readonly kind: "normal" | "uniform";
  readonly size: number;
}

/** The values of a feature that have a probability instead of a density: all in a discrete feature, or a list of numbers. */
export type Atoms = readonly number[] | "all";

/** A density over rows [N, D] that can be evaluated and sampled, such as the base distribution of a flow. */
export interface Distribution {
  /** D, the number of features. */
  readonly features: number;
  /** Number of context features C; 0 for an unconditional distribution. */
  readonly context: number;
  /**
   * log p(x | context) of each row in nats: [N, D], [N, C] -> [N]; -Infinity outside the support, with gradient 0. The caller must give the
   * right shapes: `Flow.logProb` throws `SHAPE` for others, but a distribution itself need not check them.
   */
  logProb(x: Tensor, context?: Tensor): Tensor;
  /** The random numbers that `sample` takes, each as a tensor [N, size]. */
  readonly noise: readonly Noise[];
  /** Maps noise to rows [N, D] of this distribution. */
  sample(noise: readonly Tensor[], context?: Tensor): Tensor;
  /** The JSON from which the distribution is built again, without the values of its parameters. */
  describe(): Description;
  /**
   * A central value of each feature, such as the mean, from which an autoencoder shows a reconstruction: [D], or [N, D] given a context
   * [N, C]. Undefined if there is no simple one.
   */
  readonly center?: ((context?: Tensor) => Tensor) | undefined;
  /** Whether NaN is a missing value, which has a probability. Default false: the log-density of a row with NaN is NaN. */
  readonly acceptsMissing?: boolean | undefined;
  /** Whether `logProb` is an estimate whose expectation is a lower bound of the log-density. Default false: it is exact. */
  readonly isBound?: boolean | undefined;
  /**
   * Only for an autoencoder: the bound of the log-density [N] with its KL divergence multiplied by a scalar weight, for KL
   * warm-up. The loss of a training step calls it.
   */
  readonly weightedBound?: ((x: Tensor, divergenceWeight: Tensor, context?: Tensor) => Tensor) | undefined;
  /** [D], the values of each feature that have a probability instead of a density. Undefined if there is none in any feature. */
  readonly atoms?: readonly Atoms[] | undefined;
  /**
   * V, if the features are the integers 0, 1, ... V - 1, such as pixels, or a list with the number of each feature, null for real
   * numbers. Undefined for other features.
   */
  readonly values?: number | readonly (number | null)[] | undefined;
  /**
   * The distribution with the same parameters at a temperature T. Below 1, its samples are more typical. Undefined if the distribution
   * cannot be sampled at other temperatures than 1.
   */
  readonly atTemperature?: ((temperature: number) => Distribution) | undefined;
  /** Only for a bound: the distribution with the same parameters, whose `logProb` uses this number of draws for each row. */
  readonly withDraws?: ((samples: number) => Distribution) | undefined;
  /** The set on which the density is positive; undefined if it is all of R^D. */
  readonly support?: Support | undefined;
  /** Data-dependent initialization before training. Undefined if the parameters do not depend on data. */
  readonly fitToData?: FitDistribution | undefined;
  /** The standardization next to the data, which can be taken out of the distribution. */
  readonly dataStandardization?: OuterStandardization<Distribution> | undefined;
  /** The standardization of the context, which can be taken out of the distribution. */
  readonly contextStandardization?: OuterStandardization<Distribution> | undefined;
}

/**
 * Sets parameters from rows, for example by expectation maximization. Held-out rows select hyperparameters, such as a number of
 * components. If a limit is reached, the fit ends early with usable parameters.
 */
export type FitDistribution = (rows: DataRows, heldOut?: DataRows, limits?: Limits) => void | Promise<void>;

/** The registry entry of a distribution: the schema of its description, and the function that builds it. */
export type DistributionKind<S extends KindSchema> = Kind<Distribution, S>;

export const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);

/**
 * Lower limit of -|x|^2 / 2, which is reached at about 10^10 deviations. Beyond it, the log-density is constant and its gradient
 * 0. Squares overflow float32 only at |x| = 10^19, but gradients have products of more such factors.
 */
export const MIN_GAUSSIAN_EXPONENT = -1e20;

/** -|x|^2 / 2 over the last axis, at least `MIN_GAUSSIAN_EXPONENT`. */
export const gaussianExponent = (x: Tensor): Tensor =>
  x.square().sum(-1).mul(-0.5).maximum(MIN_GAUSSIAN_EXPONENT);

/** Whether each number is NaN, which stands for a missing value: only NaN is different from itself. */
export const isMissing = (x: Tensor): Tensor => x.equal(x).not();

/** `logProb` [N] for rows whose features are all `inside` [N, D], -Infinity for other rows, and NaN for rows with a NaN. */
export function onSupport(x: Tensor, inside: Tensor, logProb: Tensor): Tensor {
  const anyFeature = (condition: Tensor) => condition.toFloat().sum(1).greater(0);
  const outside = anyFeature(inside.not());
  const hasNaN = anyFeature(isMissing(x));
  return hasNaN.where(Number.NaN, outside.where(Number.NEGATIVE_INFINITY, logProb));
}
