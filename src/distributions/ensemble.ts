import * as z from "zod/mini";
import type { OuterStandardization } from "../bijections/outerStandardization.ts";
import type { Standardize } from "../bijections/standardize.ts";
import type { Support } from "../bijections/support.ts";
import type { NestedSchema } from "../description.ts";
import { constant, stack, type Tensor } from "../graph/tensor.ts";
import { isTraining } from "../graph/tracing/drawn.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { withVariant } from "../graph/tracing/variant.ts";
import { variantsSchema } from "../nn/numberings.ts";
import { parse } from "../parse.ts";
import { chooseComponent, chosenRows } from "./chooseComponent.ts";
import type { Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";

const ensembleSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("ensemble"),
    distribution,
    /** M: as many as the parts of the distribution have. */
    variants: variantsSchema,
  });

/**
 * The average over M variants of one distribution, which share its weights: p(x) = 1/M sum_m p_m(x). Variant m takes the m-th
 * mask, order or set of kept features in all of its parts (Germain et al. 2015; Uria et al. 2014): probabilities of whole
 * rows are averaged, since an average of logits would be no distribution over rows.
 *
 * Training takes one variant a batch, drawn evenly, and so maximizes the mean of log p_m, which is at most log p. A density
 * costs M passes; a row draws its variant by one uniform number, but all M are computed.
 */
export class Ensemble implements Distribution {
  readonly distribution: Distribution;
  readonly variants: number;
  readonly noise: readonly Noise[];

  /** Throws `ARGUMENT` if the number of variants does not fit. */
  constructor(distribution: Distribution, options: { variants: number }) {
    this.distribution = distribution;
    this.variants = parse(variantsSchema, options.variants, "the number of variants of an ensemble");
    this.noise = [{ kind: "uniform", size: 1 }, ...distribution.noise];
  }

  get features(): number {
    return this.distribution.features;
  }

  get context(): number {
    return this.distribution.context;
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const each = this.each(() => this.distribution.logProb(x, context));
    return each.length === 1 ? each[0] : stack(each, 1).logsumexp(1).sub(Math.log(each.length));
  }

  sample([uniform, ...noise]: readonly Tensor[], context?: Tensor): Tensor {
    // Only one of the variants is taken in a row, so they may all read the same noise.
    const each = this.each(() => this.distribution.sample(noise, context));
    const chosen = chooseComponent(constant(new Array(each.length).fill(0), [each.length]), uniform);
    return chosenRows(chosen, each);
  }

  /** What each variant gives; while training, the one that is drawn. */
  private each(build: () => Tensor): Tensor[] {
    const count = isTraining() ? 1 : this.variants;
    return Array.from({ length: count }, (_, m) => scoped("distribution", () => withVariant(m, build)));
  }

  get support(): Support | undefined {
    return this.distribution.support;
  }

  get fitToData(): FitDistribution | undefined {
    const { distribution } = this;
    return distribution.fitToData && ((...rows) => distribution.fitToData!(...rows));
  }

  get dataStandardization(): OuterStandardization<Distribution> | undefined {
    return this.around(this.distribution.dataStandardization);
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    return this.around(this.distribution.contextStandardization);
  }

  private around(inner: OuterStandardization<Distribution> | undefined) {
    const { variants } = this;
    return (
      inner && {
        standardize: inner.standardize,
        relativeTo: (outer: Standardize) => new Ensemble(inner.relativeTo(outer), { variants }),
      }
    );
  }

  describe() {
    return { type: "ensemble", distribution: this.distribution.describe(), variants: this.variants };
  }
}

export const ensembleKind: DistributionKind<typeof ensembleSchema> = {
  schema: ensembleSchema,
  build: ({ distribution, variants }, random, nested) =>
    new Ensemble(nested(distribution, random), { variants }),
};
