import { PushforwardError } from "../../check/index.ts";
import {
  asSubsetDistribution,
  type Distribution,
  isSubsetDistribution,
  Mixture,
  type SubsetDistribution,
  TransformedDistribution,
} from "../../distributions/index.ts";

/** Whether a distribution, or a component of a mixture, has exact marginal distributions of any subset of features. */
export function hasExactConditionals(distribution: Distribution): boolean {
  const base = withoutIdentity(distribution);
  return (
    isSubsetDistribution(base) || (base instanceof Mixture && base.distributions.some(isSubsetDistribution))
  );
}

/** The base of a flow without layers, and any other distribution as it is: a bijection mixes the features of its base. */
const withoutIdentity = (distribution: Distribution): Distribution =>
  distribution instanceof TransformedDistribution && distribution.bijection.isIdentity
    ? distribution.base
    : distribution;

/**
 * The distribution itself if it has exact marginal distributions of any subset of features. For a mixture, returns the mixture of
 * those components that have them, with the same relative weights; `share` is the sum of their weights in the original mixture.
 * Throws `ARGUMENT` if there is none.
 */
export function withExactConditionals(flow: Distribution): {
  distribution: SubsetDistribution;
  share: number;
} {
  const distribution = withoutIdentity(flow);
  if (isSubsetDistribution(distribution)) return { distribution, share: 1 };
  if (!(distribution instanceof Mixture)) {
    throw new PushforwardError(
      "ARGUMENT",
      "the model has no exact distribution of some columns given others",
      {
        received: `the distribution ${distribution.describe().type}`,
        hint: "Fit the default model. A single flow has no exact conditional distributions.",
      },
    );
  }
  const weights = distribution.weights;
  const exactIndices = distribution.distributions.flatMap((each, k) =>
    isSubsetDistribution(each) ? [k] : [],
  );
  if (exactIndices.length === 0) {
    throw new PushforwardError("ARGUMENT", "no member of the model has exact conditional distributions", {
      received: distribution.distributions.map((each) => each.describe().type).join(", "),
      hint: "Fit the default model, which has such members.",
    });
  }
  const share = exactIndices.reduce((sum, k) => sum + weights[k], 0);
  const components = exactIndices.map((k) => distribution.distributions[k]);
  const exactWeights = exactIndices.map((k) => Math.max(weights[k], Number.MIN_VALUE));
  const mixture =
    components.length === 1
      ? components[0]
      : new Mixture(components, { weights: exactWeights, learned: false });
  return { distribution: asSubsetDistribution(mixture), share };
}
