import * as z from "zod/mini";
import {
  type DataRows,
  formatSupport,
  type OuterStandardization,
  type Support,
} from "../../bijections/index.ts";
import { PushforwardError, parse } from "../../check/index.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type FitDistribution,
  type Noise,
  onSupport,
  wrappedStandardization,
} from "../../distributions/index.ts";
import { concat, filled, scoped, type Tensor } from "../../graph/index.ts";
import type { NestedSchema } from "../../parts/index.ts";

const constantSchema = z.array(z.int().check(z.nonnegative())).check(
  z.minLength(1),
  z.refine((constant) => constant.every((feature, i) => i === 0 || feature > constant[i - 1]), {
    error: "indices of features in ascending order",
  }),
);

const constantFeaturesSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("constantFeatures"),
    /** Distribution of the other features, in the order of their indices. */
    distribution,
    /** Indices of the constant features. */
    constant: constantSchema,
  });

/**
 * Adds features that are 0 in all rows (point masses) to a distribution of the other features. A column with only one value
 * has no density: a flow that is trained on it narrows around the value and raises its likelihood without limit. So
 * `distribution` has only the features that vary, and log p(x) is its log-density of these if all constant features are 0, and
 * -Infinity otherwise.
 *
 * For constants other than 0, use it as the base of a flow with the bijection x = z scale + center (`Standardize`), whose
 * centers are the constants. With scale 1 for these features, its log-determinant does not depend on them. `withConstants`
 * builds such a flow.
 */
export class ConstantFeatures implements Distribution {
  readonly distribution: Distribution;
  /** Indices of the constant features among all features, in ascending order. */
  readonly constant: readonly number[];
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  /** Indices of the other features, in ascending order. */
  private readonly varying: readonly number[];

  /** Throws `ARGUMENT` if `constant` is not a list of indices of features in ascending order. */
  constructor(distribution: Distribution, options: { constant: readonly number[] }) {
    this.constant = parse(constantSchema, options.constant, "the constant features of a distribution");
    this.distribution = distribution;
    this.features = distribution.features + this.constant.length;
    this.context = distribution.context;
    this.noise = distribution.noise;
    if (this.constant.at(-1)! >= this.features) {
      throw new PushforwardError("ARGUMENT", "the index of a constant feature is out of range", {
        expected: `indices from 0 to ${this.features - 1}`,
        received: this.constant.join(", "),
      });
    }
    const constant = new Set(this.constant);
    const allFeatures = Array.from({ length: this.features }, (_, feature) => feature);
    this.varying = allFeatures.filter((feature) => !constant.has(feature));
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const logProb = scoped("distribution", () =>
      this.distribution.logProb(x.gather(1, this.varying), context),
    );
    // -Infinity for rows with a value other than 0 in a constant feature.
    return onSupport(x, x.gather(1, this.constant).equal(0), logProb);
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const varying = scoped("distribution", () => this.distribution.sample(noise, context));
    const withZeroColumn = concat([varying, filled(0, ["N", 1])], 1);
    // The column of `withZeroColumn` that each feature is copied from: the last one, 0, for constant features.
    const columns = new Array<number>(this.features).fill(this.varying.length);
    this.varying.forEach((feature, column) => {
      columns[feature] = column;
    });
    return withZeroColumn.gather(1, columns);
  }

  get isBound(): boolean {
    return this.distribution.isBound === true;
  }

  get withDraws(): Distribution["withDraws"] {
    const { distribution, constant } = this;
    return (
      distribution.withDraws &&
      ((samples) => new ConstantFeatures(distribution.withDraws!(samples), { constant }))
    );
  }

  get atoms(): readonly Atoms[] {
    const varyingAtoms = this.distribution.atoms;
    const atoms = new Array<Atoms>(this.features).fill("all");
    for (const [column, feature] of this.varying.entries()) atoms[feature] = varyingAtoms?.[column] ?? [];
    return atoms;
  }

  get support(): Support {
    const description = `x = 0 in the features with index ${this.constant.join(", ")}`;
    const { support } = this.distribution;
    return {
      description: support ? `${description}, and ${formatSupport(support)} in the others` : description,
    };
  }

  /** Fits `distribution` to its features of the rows; undefined if it has nothing to fit. */
  get fitToData(): FitDistribution | undefined {
    const { distribution } = this;
    if (!distribution.fitToData) return undefined;
    return (rows, heldOut, limits) =>
      distribution.fitToData!(this.varyingRows(rows), heldOut && this.varyingRows(heldOut), limits);
  }

  /** Copies the rows without their constant features. */
  private varyingRows(data: DataRows): DataRows {
    const { features, varying } = this;
    const values = Float64Array.from(
      { length: data.rows * varying.length },
      (_, i) => data.values[Math.floor(i / varying.length) * features + varying[i % varying.length]],
    );
    return { ...data, features: varying.length, values };
  }

  /**
   * The context standardization of `distribution`. `Flow` takes it out of the graph and applies it to contexts in float64, and
   * `relativeTo` returns the distribution that remains: with the same constant features.
   */
  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    const { constant } = this;
    return wrappedStandardization(
      this.distribution.contextStandardization,
      (distribution) => new ConstantFeatures(distribution, { constant }),
    );
  }

  describe() {
    return { type: "constantFeatures", distribution: this.distribution.describe(), constant: this.constant };
  }
}

export const constantFeaturesKind: DistributionKind<typeof constantFeaturesSchema> = {
  schema: constantFeaturesSchema,
  build: ({ distribution, constant }, random, nested) =>
    new ConstantFeatures(nested(distribution, random), { constant }),
};
