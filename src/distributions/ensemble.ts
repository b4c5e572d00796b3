import * as z from "zod/mini";
import type { OuterStandardization, Support } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { constant, isTraining, scoped, type Tensor, withVariant } from "../graph/index.ts";
import { variantCountSchema } from "../nn/index.ts";
import type { NestedSchema } from "../parts/index.ts";
import { chooseComponent, logMeanExpOf, rowsOfChosenComponents } from "./chooseComponent.ts";
import type { Atoms, Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import { wrappedStandardization } from "./wrappedStandardization.ts";

const ensembleSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("ensemble"),
    distribution,
    /** M, the number of mask variants of the parts of the distribution. */
    variants: variantCountSchema,
  });

/**
 * The average over M mask variants of one distribution, which share its weights: p(x) = 1/M sum_m p_m(x). In variant m, all
 * parts use their m-th mask, ordering or coupling split (Germain et al. 2015; Uria et al. 2014). Probabilities of rows are
 * averaged, since averaged logits would not define a distribution over rows.
 *
 * Training batches use the variants one after the other, so training maximizes the mean of log p_m, a lower bound of log p. A
 * density costs M passes. Sampling draws the variant of each row with one uniform number, but computes the samples of all M
 * variants.
 */
export class Ensemble implements Distribution {
  readonly distribution: Distribution;
  readonly variants: number;
  readonly noise: readonly Noise[];

  /** Throws `ARGUMENT` if the number of variants is invalid. */
  constructor(distribution: Distribution, options: { variants: number }) {
    this.distribution = distribution;
    this.variants = parse(variantCountSchema, options.variants, "the number of variants of an ensemble");
    this.noise = [{ kind: "uniform", size: 1 }, ...distribution.noise];
  }

  get features(): number {
    return this.distribution.features;
  }

  get context(): number {
    return this.distribution.context;
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    return logMeanExpOf(this.mapVariants(() => this.distribution.logProb(x, context)));
  }

  sample([uniform, ...noise]: readonly Tensor[], context?: Tensor): Tensor {
    // A row uses only one of the variants, so all variants can use the same noise.
    const rows = this.mapVariants(() => this.distribution.sample(noise, context));
    const equalLogWeights = constant(new Array(rows.length).fill(0), [rows.length]);
    return rowsOfChosenComponents(chooseComponent(equalLogWeights, uniform), rows);
  }

  /** Traces `build` for each variant or, in a training step, only for the variant that the batch draws. */
  private mapVariants(build: () => Tensor): Tensor[] {
    const count = isTraining() ? 1 : this.variants;
    return Array.from({ length: count }, (_, m) => scoped("distribution", () => withVariant(m, build)));
  }

  get acceptsMissing(): boolean {
    return this.distribution.acceptsMissing === true;
  }

  get isBound(): boolean {
    return this.distribution.isBound === true;
  }

  get atoms(): readonly Atoms[] | undefined {
    return this.distribution.atoms;
  }

  get values(): Distribution["values"] {
    return this.distribution.values;
  }

  get support(): Support | undefined {
    return this.distribution.support;
  }

  /** The mean of the centers of all variants. */
  get center(): Distribution["center"] {
    const { distribution } = this;
    if (!distribution.center) return undefined;
    return (context) => {
      const centers = this.mapVariants(() => distribution.center!(context));
      return centers.reduce((a, b) => a.add(b)).div(centers.length);
    };
  }

  get withDraws(): Distribution["withDraws"] {
    const { distribution } = this;
    return distribution.withDraws && ((samples) => this.of(distribution.withDraws!(samples)));
  }

  get fitToData(): FitDistribution | undefined {
    const { distribution } = this;
    return distribution.fitToData && ((...rows) => distribution.fitToData!(...rows));
  }

  get dataStandardization(): OuterStandardization<Distribution> | undefined {
    return wrappedStandardization(this.distribution.dataStandardization, (each) => this.of(each));
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    return wrappedStandardization(this.distribution.contextStandardization, (each) => this.of(each));
  }

  /** The ensemble of another distribution with the same number of variants. */
  private of(distribution: Distribution): Ensemble {
    return new Ensemble(distribution, { variants: this.variants });
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
