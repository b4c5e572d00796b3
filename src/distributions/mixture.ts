import * as z from "zod/mini";
import { contextFor } from "../bijections/bijection.ts";
import {
  commonContextStandardization,
  type OuterStandardization,
  relativeToContext,
} from "../bijections/outerStandardization.ts";
import type { Standardize } from "../bijections/standardize.ts";
import type { NestedSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { Parameter } from "../graph/parameter.ts";
import { stack, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { parse } from "../parse.ts";
import { chooseComponent, chosenRows } from "./chooseComponent.ts";
import type { Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import { relativeToData } from "./transformedDistribution.ts";

const learnedSchema = z._default(z.boolean(), true);

const mixtureSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("mixture"),
    distributions: z.array(distribution).check(z.minLength(1)),
    /** False keeps the weights as they are. */
    learned: learnedSchema,
  });

const optionsSchema = z.strictObject({
  weights: z.optional(z.array(z.number().check(z.positive()))),
  learned: learnedSchema,
});

export interface MixtureOptions {
  /** Positive, in proportion; equal if absent. */
  weights?: number[];
  /** Whether training changes the weights. Default true. */
  learned?: boolean;
}

/**
 * K distributions of the same rows, each with its weight: log p(x) = logsumexp_k(log w_k + log p_k(x)). Components are drawn
 * by one uniform number a row, but all of them are computed.
 *
 * With flows as components it is a mixture of flows (Pires and Figueiredo 2020). With models over several orderings and
 * fixed weights it is the ensemble of MADE and NADE (Germain et al. 2015; Uria et al. 2014), which averages probabilities of
 * whole rows: an average of logits would not be a distribution over rows.
 */
export class Mixture implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly distributions: readonly Distribution[];
  /** [K], not normalized. */
  readonly logWeights: Parameter;

  /** Throws `ARGUMENT` if the options do not fit, `SHAPE` if a distribution does not fit the others. */
  constructor(distributions: readonly Distribution[], options: MixtureOptions = {}) {
    const K = distributions.length;
    if (K === 0) throw new PushforwardError("ARGUMENT", "a mixture needs at least one distribution");
    const { weights = new Array<number>(K).fill(1), learned } = parse(optionsSchema, options, "a mixture");
    if (weights.length !== K) {
      throw new PushforwardError("ARGUMENT", "the weights of a mixture do not fit its distributions", {
        expected: `${K} numbers`,
        received: `${weights.length}`,
      });
    }
    this.distributions = distributions;
    this.features = distributions[0].features;
    this.context = Math.max(...distributions.map(({ context }) => context));
    distributions.forEach(({ features, context }, k) => {
      if (features !== this.features || (context !== 0 && context !== this.context)) {
        throw new PushforwardError("SHAPE", `distribution ${k} of a mixture does not fit the others`, {
          expected: `${this.features} features, and ${this.context} context features or none`,
          received: `${features} and ${context}`,
        });
      }
    });
    this.noise = [{ kind: "uniform", size: 1 }, ...distributions.flatMap(({ noise }) => noise)];
    const total = weights.reduce((a, b) => a + b);
    const logWeights = weights.map((weight) => Math.log(weight / total));
    this.logWeights = new Parameter([K], logWeights, { trainable: learned });
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const each = this.each((distribution) => distribution.logProb(x, contextFor(distribution, context)));
    return stack(each, 1).add(this.logWeights.logSoftmax()).logsumexp(1);
  }

  sample([uniform, ...noise]: readonly Tensor[], context?: Tensor): Tensor {
    const chosen = chooseComponent(this.logWeights, uniform);
    let start = 0;
    const rows = this.each((distribution) => {
      const own = noise.slice(start, start + distribution.noise.length);
      start += own.length;
      return distribution.sample(own, contextFor(distribution, context));
    });
    return chosenRows(chosen, rows);
  }

  private each(map: (distribution: Distribution) => Tensor): Tensor[] {
    return this.distributions.map((distribution, k) => scoped(`distributions.${k}`, () => map(distribution)));
  }

  get fitToData(): FitDistribution | undefined {
    const { distributions } = this;
    if (!distributions.some(({ fitToData }) => fitToData)) return undefined;
    return async (...rows) => {
      for (const distribution of distributions) await distribution.fitToData?.(...rows);
    };
  }

  /** That of the first component which has one: the others keep their difference to it. */
  get dataStandardization(): OuterStandardization<Distribution> | undefined {
    const standardize = this.distributions
      .map(({ dataStandardization }) => dataStandardization?.standardize)
      .find((each) => each);
    return (
      standardize && { standardize, relativeTo: (outer) => this.with((each) => relativeToData(each, outer)) }
    );
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    const standardize = commonContextStandardization(this.distributions);
    return (
      standardize && {
        standardize,
        relativeTo: (outer: Standardize) => this.with((each) => relativeToContext(each, outer)),
      }
    );
  }

  /** The mixture of other components with the same weights. */
  private with(map: (distribution: Distribution) => Distribution): Mixture {
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
