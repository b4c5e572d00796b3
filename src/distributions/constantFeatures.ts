import * as z from "zod/mini";
import type { DataRows } from "../bijections/bijection.ts";
import type { OuterStandardization } from "../bijections/outerStandardization.ts";
import { identityOrder } from "../bijections/permutation.ts";
import type { Support } from "../bijections/support.ts";
import type { NestedSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { concat, filled, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { parse } from "../parse.ts";
import {
  type Distribution,
  type DistributionKind,
  type FitDistribution,
  type Noise,
  onSupport,
} from "./distribution.ts";

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
 * Combines features that are always 0 (point masses) with a distribution of the other features. log p(x) is the log-density
 * of the other features if all constant features are 0, and -Infinity otherwise. It is a density with respect to the other
 * features only, so a constant feature adds exactly 0.
 *
 * For constants other than 0, put a `Standardize` with scale 1 for these features after it, which adds 0 too.
 */
export class ConstantFeatures implements Distribution {
  readonly distribution: Distribution;
  readonly constant: readonly number[];
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  private readonly varying: readonly number[];

  /** Throws `ARGUMENT` if `constant` is not a list of valid indices in ascending order. */
  constructor(distribution: Distribution, options: { constant: readonly number[] }) {
    this.constant = parse(constantSchema, options.constant, "the constant features of a distribution");
    this.distribution = distribution;
    this.features = distribution.features + this.constant.length;
    this.context = distribution.context;
    this.noise = distribution.noise;
    const constant = new Set(this.constant);
    this.varying = identityOrder(this.features).filter((feature) => !constant.has(feature));
    if (this.varying.length === distribution.features) return;
    throw new PushforwardError("ARGUMENT", "the index of a constant feature is out of range", {
      expected: `indices from 0 to ${this.features - 1}`,
      received: this.constant.join(", "),
    });
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const logProb = scoped("distribution", () =>
      this.distribution.logProb(x.gather(1, this.varying), context),
    );
    return onSupport(x, x.gather(1, this.constant).equal(0), logProb);
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const varying = scoped("distribution", () => this.distribution.sample(noise, context));
    const varyingIndex = new Map(this.varying.map((feature, index) => [feature, index]));
    // The last column of the concatenation is 0, and all constant features gather it.
    const zeroColumn = this.distribution.features;
    const columns = identityOrder(this.features).map((feature) => varyingIndex.get(feature) ?? zeroColumn);
    return concat([varying, filled(0, ["N", 1])], 1).gather(1, columns);
  }

  get support(): Support {
    return { description: `0 in the constant features ${this.constant.join(", ")}` };
  }

  get fitToData(): FitDistribution | undefined {
    const { distribution } = this;
    if (!distribution.fitToData) return undefined;
    return (rows, heldOut, limits) =>
      distribution.fitToData!(this.varyingRows(rows), heldOut && this.varyingRows(heldOut), limits);
  }

  /** The rows without the constant features. */
  private varyingRows(data: DataRows): DataRows {
    const { features, varying } = this;
    const values = Float64Array.from(
      { length: data.rows * varying.length },
      (_, i) => data.values[Math.floor(i / varying.length) * features + varying[i % varying.length]],
    );
    return { ...data, features: varying.length, values };
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    const { constant } = this;
    const inner = this.distribution.contextStandardization;
    return (
      inner && {
        standardize: inner.standardize,
        relativeTo: (outer) => new ConstantFeatures(inner.relativeTo(outer), { constant }),
      }
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
