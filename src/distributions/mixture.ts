import * as z from "zod/mini";
import {
  commonContextStandardization,
  contextFor,
  formatSupport,
  type OuterStandardization,
  relativeToContext,
  type Standardize,
  type Support,
} from "../bijections/index.ts";
import { PushforwardError, parse } from "../check/index.ts";
import { range } from "../dataset/index.ts";
import { concat, constant, Parameter, scoped, stack, type Tensor } from "../graph/index.ts";
import { logSumExp } from "../numerics/index.ts";
import type { NestedSchema } from "../parts/index.ts";
import { chooseComponent, rowsOfChosenComponents } from "./chooseComponent.ts";
import type { Atoms, Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import {
  asSubsetDistribution,
  isSubsetDistribution,
  logPosterior,
  type Subset,
  type SubsetDistribution,
} from "./subsetDistribution.ts";
import { relativeToData } from "./transformedDistribution.ts";

const learnedSchema = z._default(z.boolean(), true);

const mixtureSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("mixture"),
    distributions: z.array(distribution).check(z.minLength(1)),
    /** Whether the weights are trained. */
    learned: learnedSchema,
  });

const optionsSchema = z.strictObject({
  weights: z.optional(z.array(z.number().check(z.positive()))),
  learned: learnedSchema,
});

/** Options of `Mixture`. */
export interface MixtureOptions {
  /** [K] positive weights, which need not be normalized. Default equal weights. */
  weights?: number[] | undefined;
  /** Whether the weights are trained. Default true. */
  learned?: boolean | undefined;
}

/**
 * A mixture of K distributions with weights w_k: log p(x) = logsumexp_k(log w_k + log p_k(x)). Sampling draws the component of
 * each row with one uniform number, but computes the samples of all components.
 *
 * With flows as components it is a mixture of flows (Pires and Figueiredo 2020). With autoregressive models of several
 * orderings and fixed weights it is the ensemble of MADE and NADE (Germain et al. 2015; Uria et al. 2014), which averages the
 * probabilities of rows.
 */
export class Mixture implements SubsetDistribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly distributions: readonly Distribution[];
  /** [K] unnormalized log-weights. */
  readonly logWeights: Parameter;

  /** Throws `ARGUMENT` if the options are invalid, and `SHAPE` if the distributions differ in features or context. */
  constructor(distributions: readonly Distribution[], options: MixtureOptions = {}) {
    const K = distributions.length;
    if (K === 0) throw new PushforwardError("ARGUMENT", "a mixture needs at least one distribution");
    const { weights = new Array<number>(K).fill(1), learned } = parse(optionsSchema, options, "a mixture");
    if (weights.length !== K) {
      throw new PushforwardError("ARGUMENT", "a mixture needs one weight for each distribution", {
        expected: `${K}`,
        received: `${weights.length}`,
      });
    }
    this.distributions = distributions;
    this.features = distributions[0].features;
    this.context = Math.max(...distributions.map(({ context }) => context));
    distributions.forEach(({ features, context }, k) => {
      if (features !== this.features || (context !== 0 && context !== this.context)) {
        throw new PushforwardError(
          "SHAPE",
          `distribution ${k} of a mixture has a different shape from the others`,
          {
            expected: `${this.features} features, and ${this.context} context features or none`,
            received: `${features} features and ${context} context features`,
          },
        );
      }
    });
    this.noise = [{ kind: "uniform", size: 1 }, ...distributions.flatMap(({ noise }) => noise)];
    const total = weights.reduce((a, b) => a + b);
    const logWeights = weights.map((weight) => Math.log(weight / total));
    this.logWeights = new Parameter([K], logWeights, { trainable: learned });
  }

  /** [K], the normalized weights. */
  get weights(): number[] {
    const { numbers } = this.logWeights;
    const logTotal = logSumExp(numbers);
    return Array.from(numbers, (logWeight) => Math.exp(logWeight - logTotal));
  }

  get acceptsMissing(): boolean {
    return this.distributions.every(({ acceptsMissing }) => acceptsMissing);
  }

  get isBound(): boolean {
    return this.distributions.some(({ isBound }) => isBound);
  }

  /** The atoms of the first distribution that has any: all distributions of a mixture have the same kinds of values. */
  get atoms(): readonly Atoms[] | undefined {
    return this.distributions.find(({ atoms }) => atoms)?.atoms;
  }

  /** The number of values of each feature, if all distributions have the same numbers; else undefined. */
  get values(): Distribution["values"] {
    const [{ values }, ...others] = this.distributions;
    return others.every((other) => `${other.values}` === `${values}`) ? values : undefined;
  }

  /** The union of the supports. */
  get support(): Support | undefined {
    const supports = this.distributions.map(({ support }) => support && formatSupport(support));
    const [formula, ...others] = new Set(supports);
    if (others.length === 0) return this.distributions[0].support;
    return supports.includes(undefined) ? undefined : { description: [formula, ...others].join(" or ") };
  }

  /** The mixture of the distributions with this number of draws; undefined if no distribution is a bound. */
  get withDraws(): Distribution["withDraws"] {
    if (!this.distributions.some(({ withDraws }) => withDraws)) return undefined;
    return (samples) => this.withDistributions((each) => each.withDraws?.(samples) ?? each);
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const logProbs = this.mapScoped((distribution) =>
      distribution.logProb(x, contextFor(distribution, context)),
    );
    return stack(logProbs, 1).add(this.logWeights.logSoftmax()).logsumexp(1);
  }

  sample([uniform, ...noise]: readonly Tensor[], context?: Tensor): Tensor {
    const chosen = chooseComponent(this.logWeights, uniform);
    const noiseOf = this.splitNoise(noise);
    const rows = this.mapScoped((distribution, k) =>
      distribution.sample(noiseOf[k], contextFor(distribution, context)),
    );
    return rowsOfChosenComponents(chosen, rows);
  }

  /** Whether all distributions have exact marginal distributions of any subset of features. */
  get supportsSubsets(): boolean {
    return this.distributions.every(isSubsetDistribution);
  }

  get acceptsRowSubsets(): boolean {
    return this.distributions.every((each) => isSubsetDistribution(each) && each.acceptsRowSubsets);
  }

  logProbKnown(x: Tensor, subset: Subset, context?: Tensor): Tensor {
    return this.logJointKnown(x, subset, context).logsumexp(1);
  }

  get conditionalSize(): number {
    return this.subsetDistributions().reduce(
      (sum, each) => sum + each.conditionalSize,
      this.distributions.length,
    );
  }

  /** The logarithms of the posterior weights of the distributions, and the parameters of each. */
  conditionalParameters(x: Tensor, subset: Subset, context?: Tensor): Tensor {
    const ofEach = this.mapScoped((distribution) =>
      asSubsetDistribution(distribution).conditionalParameters(x, subset, contextFor(distribution, context)),
    );
    const logJoint = this.logJointKnown(x, subset, context);
    return concat([logPosterior(logJoint, this.logWeights.logSoftmax(), 1), ...ofEach], 1);
  }

  logProbOf(d: number, values: Tensor, parameters: Tensor): Tensor {
    const [N] = values.shape;
    const { logWeights, ofEach } = this.splitParameters(parameters);
    const logProbs = this.subsetDistributions().map((each, k) => each.logProbOf(d, values, ofEach[k]));
    return stack(logProbs, 1).add(logWeights).logsumexp(1).reshape([N]);
  }

  logPresentOf(d: number, parameters: Tensor): Tensor {
    return this.logWeightsIfPresent(d, parameters).logsumexp(1);
  }

  /**
   * Draws the component of each row by its posterior probability w_k p_k(x_known), or with `present` by w_k p_k(x_known, x_d is not
   * missing), so that the draws follow the exact conditional distribution of the mixture.
   */
  sampleOf(
    d: number,
    [uniform, ...noise]: readonly Tensor[],
    parameters: Tensor,
    options: { present: boolean },
  ): Tensor {
    const { logWeights, ofEach } = this.splitParameters(parameters);
    const weights = options.present ? this.logWeightsIfPresent(d, parameters) : logWeights;
    const chosen = chooseComponent(weights, uniform);
    const noiseOf = this.splitNoise(noise);
    const drawn = this.subsetDistributions().map((each, k) =>
      each.sampleOf(d, noiseOf[k], ofEach[k], options).reshape(["N", 1]),
    );
    return rowsOfChosenComponents(chosen, drawn).reshape(["N"]);
  }

  /**
   * Draws the distribution of each row by its posterior probability, from a log-probability of each row under each distribution,
   * [N, K], such as log p_k(x_known): its index k, [N].
   */
  sampleIndex(uniform: Tensor, logProbs: Tensor): Tensor {
    const K = this.distributions.length;
    const logWeights = this.logWeights.logSoftmax();
    return chooseComponent(logPosterior(logProbs.add(logWeights), logWeights, 1), uniform)
      .mul(constant(range(K), [K]))
      .sum(1);
  }

  /** log w_k + log p_k(x_known), [N, K]. */
  private logJointKnown(x: Tensor, subset: Subset, context?: Tensor): Tensor {
    const logProbs = this.mapScoped((distribution) =>
      asSubsetDistribution(distribution).logProbKnown(x, subset, contextFor(distribution, context)),
    );
    return stack(logProbs, 1).add(this.logWeights.logSoftmax());
  }

  /** log of w_k p_k(x_d is not missing | x_known), where w_k are the posterior weights: [N, K]. */
  private logWeightsIfPresent(d: number, parameters: Tensor): Tensor {
    const { logWeights, ofEach } = this.splitParameters(parameters);
    const logPresent = this.subsetDistributions().map((each, k) => each.logPresentOf(d, ofEach[k]));
    return logWeights.add(stack(logPresent, 1));
  }

  /** The logarithms of the posterior weights [N, K], and the parameters of each distribution. */
  private splitParameters(parameters: Tensor): { logWeights: Tensor; ofEach: readonly Tensor[] } {
    const sizes = this.subsetDistributions().map(({ conditionalSize }) => conditionalSize);
    const [logWeights, ...ofEach] = parameters.split(1, [this.distributions.length, ...sizes]);
    return { logWeights, ofEach };
  }

  private subsetDistributions(): SubsetDistribution[] {
    return this.distributions.map(asSubsetDistribution);
  }

  /** The noise tensors of each distribution. */
  private splitNoise(noise: readonly Tensor[]): Tensor[][] {
    let start = 0;
    return this.distributions.map((distribution) => {
      const end = start + distribution.noise.length;
      const ofDistribution = noise.slice(start, end);
      start = end;
      return ofDistribution;
    });
  }

  /** Maps the distributions; nodes of the graph that `map` creates have the path of the distribution. */
  private mapScoped(map: (distribution: Distribution, k: number) => Tensor): Tensor[] {
    return this.distributions.map((distribution, k) =>
      scoped(`distributions.${k}`, () => map(distribution, k)),
    );
  }

  get fitToData(): FitDistribution | undefined {
    const { distributions } = this;
    if (!distributions.some(({ fitToData }) => fitToData)) return undefined;
    return async (...rows) => {
      for (const distribution of distributions) await distribution.fitToData?.(...rows);
    };
  }

  /**
   * The standardization of the first component that has one. `relativeTo` replaces every component by its distribution of the
   * standardized rows.
   */
  get dataStandardization(): OuterStandardization<Distribution> | undefined {
    const standardize = this.distributions
      .map(({ dataStandardization }) => dataStandardization?.standardize)
      .find((candidate) => candidate !== undefined);
    return (
      standardize && {
        standardize,
        relativeTo: (outer) => this.withDistributions((distribution) => relativeToData(distribution, outer)),
      }
    );
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    const standardize = commonContextStandardization(this.distributions);
    return (
      standardize && {
        standardize,
        relativeTo: (outer: Standardize) =>
          this.withDistributions((distribution) => relativeToContext(distribution, outer)),
      }
    );
  }

  /** A mixture of mapped components that shares the weights. */
  private withDistributions(map: (distribution: Distribution) => Distribution): Mixture {
    return Object.assign(Object.create(Mixture.prototype), this, {
      distributions: this.distributions.map(map),
    });
  }

  describe() {
    return {
      type: "mixture",
      distributions: this.distributions.map((distribution) => distribution.describe()),
      learned: this.logWeights.trainable,
    };
  }
}

export const mixtureKind: DistributionKind<typeof mixtureSchema> = {
  schema: mixtureSchema,
  build: ({ distributions, learned }, random, nested) =>
    new Mixture(
      distributions.map((distribution, k) => nested(distribution, random.split(k))),
      { learned },
    ),
};
