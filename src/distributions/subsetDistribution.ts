import { PushforwardError } from "../check/index.ts";
import { stack, type Tensor } from "../graph/index.ts";
import type { Distribution } from "./distribution.ts";

/**
 * Which features are known, in all rows of a call. Both tensors are inputs of a graph, so that one compiled graph serves every
 * subset. `knownFeatures` returns the numbers for them.
 *
 * Both are `[D]`, or `[N, D]` if the known features differ between rows, which needs a distribution with `acceptsRowSubsets`.
 */
export interface Subset {
  /** 1 for a known feature, 0 for an unknown one. */
  readonly known: Tensor;
  /** 0 ... count - 1 for the known features, in the order in which they are factorized, and count for every unknown one. */
  readonly positions: Tensor;
}

/**
 * A distribution whose marginal distribution of any subset of features, and the conditional distribution of any other feature given
 * these, have closed forms. Known is not the same as present: a missing value (NaN) of a known feature is an event with a probability.
 */
export interface SubsetDistribution extends Distribution {
  /** Whether the methods below may be called. An option of the distribution, or one of its parts, can rule them out. */
  readonly supportsSubsets: boolean;
  /** Whether the known features may differ between the rows of a call. Default false. */
  readonly acceptsRowSubsets?: boolean;
  /** log p(x_known | context) of each row: [N, D], [N, C] -> [N]. The values of unknown features have no effect; they may be NaN. */
  logProbKnown(x: Tensor, subset: Subset, context?: Tensor): Tensor;
  /** S, the number of `conditionalParameters` of a row. */
  readonly conditionalSize: number;
  /**
   * Numbers [N, S] that determine the distribution of each unknown feature given x_known and the context. The methods below take them in
   * place of the known values, so that many values of a feature need one evaluation of the known ones. There is one row of them for each
   * row of the other tensors, or a single one for all rows, [1, S].
   */
  conditionalParameters(x: Tensor, subset: Subset, context?: Tensor): Tensor;
  /** log p(x_d | x_known, context) of values [N] of the unknown feature d: [N]. */
  logProbOf(d: number, values: Tensor, parameters: Tensor): Tensor;
  /** log p(x_d is not missing | x_known, context) of the unknown feature d: [N], or [1] for a single row of parameters. */
  logPresentOf(d: number, parameters: Tensor): Tensor;
  /**
   * Draws [N] from p(x_d | x_known, context) of the unknown feature d, or with `present` from p(x_d | x_known, x_d is not missing,
   * context). `noise` has one number [N, 1] for each tensor that `sample` takes. Draws of several features from the same parameters do not
   * follow their joint distribution. To draw from it, draw one feature, add it to the known ones, and compute new parameters for the next
   * one.
   */
  sampleOf(d: number, noise: readonly Tensor[], parameters: Tensor, options: { present: boolean }): Tensor;
  /** Only if it takes less time than `sampleOf` of each feature: the results of `sampleOf` for all features and the same noise, [N, D]. */
  sampleEach?(noise: readonly Tensor[], parameters: Tensor, options: { present: boolean }): Tensor;
  /**
   * Only if one evaluation draws all unknown features: rows [N, D] with the known values of x, and with draws of all other features from
   * their joint distribution given these, or with `present` also given that none of them is missing. The `noise` is that of `sample`.
   */
  sampleUnknown?(
    noise: readonly Tensor[],
    x: Tensor,
    subset: Subset,
    options: { present: boolean; context?: Tensor },
  ): Tensor;
}

/** Whether a distribution has exact marginal and conditional distributions of any subset of features. */
export const isSubsetDistribution = (distribution: Distribution): distribution is SubsetDistribution =>
  (distribution as Partial<SubsetDistribution>).supportsSubsets === true;

/** The distribution itself. Throws `ARGUMENT` if it is not a `SubsetDistribution`. */
export function asSubsetDistribution(distribution: Distribution): SubsetDistribution {
  if (isSubsetDistribution(distribution)) return distribution;
  throw new PushforwardError(
    "ARGUMENT",
    "the distribution has no exact marginal distributions of subsets of features",
    {
      received: JSON.stringify(distribution.describe().type),
      hint: "Fit the default model of a table, or use MixedMade with anyOrder, LatentClasses, MixedGaussianMixture, KernelDensity, or a Mixture of these.",
    },
  );
}

/**
 * The numbers of a `Subset` of `features` features, from the indices of the known features. An autoregressive density is
 * factorized in the order of these indices: the densities of an order-agnostic network are nearly, but not exactly, the same in
 * all orders. Throws `ARGUMENT` if an index is out of range or listed twice.
 */
export function knownFeatures(
  features: number,
  known: readonly number[],
): { known: Float64Array<ArrayBuffer>; positions: Float64Array<ArrayBuffer> } {
  const isKnown = new Float64Array(features);
  const positions = new Float64Array(features).fill(known.length);
  for (const [position, feature] of known.entries()) {
    if (!Number.isInteger(feature) || feature < 0 || feature >= features) {
      throw new PushforwardError("ARGUMENT", "the index of a known feature is out of range", {
        expected: `indices from 0 to ${features - 1}`,
        received: `${feature}`,
      });
    }
    if (isKnown[feature] === 1) {
      throw new PushforwardError("ARGUMENT", "a known feature is listed twice", {
        expected: "different indices",
        received: known.join(", "),
      });
    }
    isKnown[feature] = 1;
    positions[feature] = position;
  }
  return { known: isKnown, positions };
}

/**
 * The subset of each row that consists of the first `count` [N, 1] features of its order. `order` [N, D] has the position of each feature,
 * counted from 0.
 */
export const rowSubsets = (order: Tensor, count: Tensor): Subset => ({
  known: order.less(count).toFloat(),
  positions: order.minimum(count),
});

/** Whether feature d is known: [1], or [N] if the known features differ between rows. */
const isKnown = ({ known }: Subset, d: number): Tensor =>
  (known.rank === 1 ? known.slice(0, d, d + 1) : known.slice(1, d, d + 1).reshape(["N"])).greater(0);

/**
 * The logarithm of the product over all unknown features of p(x_d is not missing | x_known), [N]. It is the probability that none of them
 * is missing if they are missing independently of each other.
 */
export function logUnknownPresent(distribution: SubsetDistribution, x: Tensor, subset: Subset): Tensor {
  const parameters = distribution.conditionalParameters(x, subset);
  return Array.from({ length: distribution.features }, (_, d) =>
    isKnown(subset, d).where(0, distribution.logPresentOf(d, parameters)),
  ).reduce((sum, ofFeature) => sum.add(ofFeature));
}

/**
 * Rows [N, D] with the known values of x and, for each unknown feature d, a draw from p(x_d | x_known). Each feature is drawn
 * from its own conditional distribution, so two drawn features of a row do not depend on each other. `noise` are the tensors of
 * `distribution.noise` with one column each, [N, 1].
 */
export function drawEach(
  distribution: SubsetDistribution,
  noise: readonly Tensor[],
  x: Tensor,
  subset: Subset,
  options: { present: boolean },
): Tensor {
  const parameters = distribution.conditionalParameters(x, subset);
  const drawn =
    distribution.sampleEach?.(noise, parameters, options) ??
    stack(
      Array.from({ length: distribution.features }, (_, d) =>
        distribution.sampleOf(d, noise, parameters, options),
      ),
      1,
    );
  return subset.known.greater(0).where(x, drawn);
}

/**
 * The logarithms of the posterior weights along an axis of log w_k + log p_k(x_known). Where the known values are impossible, the weights
 * are those of the prior: otherwise they would be NaN, and reach the other parts of a mixture.
 */
export function logPosterior(logJoint: Tensor, logPrior: Tensor, axis: number): Tensor {
  const isImpossible = logJoint.max(axis, { keepAxes: true }).equal(Number.NEGATIVE_INFINITY);
  return isImpossible.where(logPrior, logJoint).logSoftmax(axis);
}

/** Replaces unknown values of rows by 0, so that no NaN among them reaches a formula. */
export const knownValues = (x: Tensor, { known }: Subset): Tensor => known.greater(0).where(x, 0);
