import * as z from "zod/mini";
import {
  type Bijection,
  bijectionRegistry,
  bijectionSchema,
  type DataRows,
  type OuterStandardization,
  type Support,
} from "../bijections/index.ts";
import { PushforwardError, parse } from "../check/index.ts";
import { constant, drawForRows, isTracingLoss, scoped, type Tensor } from "../graph/index.ts";
import type { NestedSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { logMeanExpOf } from "./chooseComponent.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type FitDistribution,
  type Noise,
  onSupport,
} from "./distribution.ts";
import { integerSupport, isInteger } from "./integers.ts";
import { Logistic } from "./logistic.ts";
import { selectFeatures, uniformDraws, type ValueCounts } from "./rowDraws.ts";
import { wrappedStandardization } from "./wrappedStandardization.ts";

/** Below 2^17, float32 resolves the cells of integers to 1/128. */
const MAX_VALUES = 2 ** 17;

const settingsFields = {
  values: z.union([
    z.int().check(z.minimum(2), z.maximum(MAX_VALUES)),
    z.array(z.nullable(z.int().check(z.minimum(1), z.maximum(MAX_VALUES)))),
  ]),
  /** At most 256, because the graph contains the distribution once for each draw. */
  samples: z._default(z.int().check(z.minimum(1), z.maximum(256)), 1),
  seed: z._default(z.int().check(z.nonnegative()), 0),
};

const settingsSchema = z.strictObject(settingsFields);

const dequantizedSchema = (distribution: NestedSchema) =>
  z.strictObject({
    type: z.literal("dequantized"),
    distribution,
    dequantizer: z.optional(bijectionSchema),
    ...settingsFields,
  });

/** Options of `Dequantized`. */
export interface DequantizedOptions {
  /** The density p of x + u, with most of its mass in (0, values)^D. */
  distribution: Distribution;
  /**
   * The number of values of a feature, which are 0, 1, ... values - 1. Pixels of 8 bits have 256. Or a list with the number of each
   * feature, where null stands for a feature of real numbers, which has a density and no noise.
   */
  values: number | readonly (number | null)[];
  /**
   * The flow of variational dequantization: it maps logistic numbers [N, D] to noise u in (0, 1)^D. Its context is the row, whose D
   * features are scaled to [-1, 1], which needs one number of values for all features. A dequantizer that starts as a sigmoid starts with
   * uniform noise. Default: uniform noise.
   */
  dequantizer?: Bijection | undefined;
  /** K, the number of draws of noise in an evaluation. Default 1. */
  samples?: number | undefined;
  /** Seed of the noise of evaluations. Default 0. */
  seed?: number | undefined;
}

/**
 * Rows of D integers, such as pixels, under a density p of real numbers: P(x) = integral of p(x + u) over u in (0, 1)^D
 * (Theis et al. 2016). `logProb` is an importance-sampled estimate of log P(x) in nats. Its expectation is a lower bound, which
 * increases with the number of draws (Burda et al. 2016):
 *
 *     log 1/K sum_k p(x + u_k) / q(u_k | x),  u_k from q.
 *
 * q is uniform, or the density of the flow `dequantizer` (variational dequantization, Ho et al. 2019, "Flow++"). The loss of a
 * training step draws one u for each row. An evaluation uses K draws that follow from the seed and the row, so that its result is
 * a function of the row. log P(x) is -Infinity unless all features are integers from 0 to values - 1. If some features are
 * real numbers, P(x) is their density times the probability of the integers.
 */
export class Dequantized implements Distribution {
  readonly distribution: Distribution;
  readonly dequantizer: Bijection | undefined;
  readonly values: number | readonly (number | null)[];
  readonly isBound = true;
  private readonly settings: z.output<typeof settingsSchema>;

  /**
   * Throws `ARGUMENT` if the options are not valid, or if a dequantizer is combined with a list of values; `SHAPE` if the list does not
   * have D entries, or the dequantizer does not have D features and D context features.
   */
  constructor({ distribution, dequantizer, ...settings }: DequantizedOptions) {
    this.settings = parse(settingsSchema, settings, "a dequantized distribution");
    this.distribution = distribution;
    this.dequantizer = dequantizer;
    this.values = this.settings.values;
    const { features } = distribution;
    if (typeof this.values === "object" && this.values.length !== features) {
      throw new PushforwardError("SHAPE", "the option values does not have one entry per feature", {
        expected: `${features} entries`,
        received: `${this.values.length}`,
      });
    }
    if (typeof this.values === "object" && dequantizer) {
      throw new PushforwardError("ARGUMENT", "a dequantizer needs one number of values for all features", {
        hint: "Leave out the dequantizer: the noise is uniform then.",
      });
    }
    if (dequantizer && (dequantizer.features !== features || dequantizer.context !== features)) {
      const sizes = (features: number, context: number) =>
        `${features} features and ${context} context features`;
      throw new PushforwardError("SHAPE", "the dequantizer has wrong sizes", {
        expected: sizes(features, features),
        received: sizes(dequantizer.features, dequantizer.context),
        hint: "A dequantizer maps noise with as many numbers as a row has features, and the row is its context.",
      });
    }
  }

  get features(): number {
    return this.distribution.features;
  }

  get context(): number {
    return this.distribution.context;
  }

  get noise(): readonly Noise[] {
    return this.distribution.noise;
  }

  /** The number of values of each feature; null for real numbers. */
  private get counts(): ValueCounts {
    return typeof this.values === "number" ? new Array(this.features).fill(this.values) : this.values;
  }

  /** [D], the largest integer of each feature; 0 for real numbers. */
  private get largest(): Tensor {
    return constant(
      this.counts.map((count) => (count ?? 1) - 1),
      [this.features],
    );
  }

  get atoms(): readonly Atoms[] {
    return this.counts.map((count) => (count === null ? [] : "all"));
  }

  get support(): Support {
    if (typeof this.values === "number") return integerSupport(this.values);
    return { description: "integers from 0 to values[d] - 1 in each discrete feature d" };
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const whole = selectFeatures(this.counts, x, 0);
    const isValue = isInteger(whole, this.largest);
    const valid = isValue.where(x, 0);
    const bounds = this.draws(valid).map((uniform) => {
      const { u, logProb } = this.dequantize(valid, uniform);
      return scoped("distribution", () => this.distribution.logProb(valid.add(u), context)).sub(logProb);
    });
    return onSupport(x, isValue, logMeanExpOf(bounds));
  }

  /** The uniform noise [N, D] of each draw. */
  private draws(x: Tensor): Tensor[] {
    const { features, counts, settings } = this;
    if (isTracingLoss()) return [drawForRows("uniform", features)];
    const random = new Random(settings.seed).split("dequantize");
    return uniformDraws(x, { counts, size: features, samples: settings.samples, random });
  }

  /** u in (0, 1)^D and log q(u | x). */
  private dequantize(x: Tensor, uniform: Tensor): { u: Tensor; logProb: Tensor | number } {
    const { dequantizer, features, values } = this;
    if (!dequantizer || typeof values === "object")
      return { u: selectFeatures(this.counts, uniform, 0), logProb: 0 };
    const scaled = x.mul(2 / (values - 1)).sub(1);
    const base = new Logistic({ features });
    const z = base.sample([uniform]);
    const { value: u, logDet } = scoped("dequantizer", () => dequantizer.forward(z, scaled));
    return { u, logProb: base.logProb(z).sub(logDet) };
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const x = scoped("distribution", () => this.distribution.sample(noise, context));
    return selectFeatures(this.counts, x.floor().maximum(0).minimum(this.largest), x);
  }

  /** Fits the distribution to rows with uniform noise. */
  get fitToData(): FitDistribution | undefined {
    const { distribution, counts } = this;
    return (
      distribution.fitToData &&
      ((rows, heldOut, limits) =>
        distribution.fitToData!(
          withUniformNoise(rows, counts, 0),
          heldOut && withUniformNoise(heldOut, counts, 1),
          limits,
        ))
    );
  }

  get contextStandardization(): OuterStandardization<Distribution> | undefined {
    return wrappedStandardization(this.distribution.contextStandardization, (distribution) =>
      this.with({ distribution }),
    );
  }

  withDraws(samples: number): Dequantized {
    return this.with({ samples });
  }

  private with(changes: Partial<DequantizedOptions>): Dequantized {
    const { distribution, dequantizer, settings } = this;
    return new Dequantized({ distribution, ...(dequantizer && { dequantizer }), ...settings, ...changes });
  }

  describe() {
    return {
      type: "dequantized",
      distribution: this.distribution.describe(),
      ...(this.dequantizer && { dequantizer: this.dequantizer.describe() }),
      ...this.settings,
    };
  }
}

function withUniformNoise(rows: DataRows, counts: ValueCounts, stream: number): DataRows {
  const isReal = counts.map((count) => count === null);
  // The sums are written over the noise to save memory: the sample of a large set of images has 128 MB of numbers in float64.
  const values = new Random(0)
    .split("dequantize")
    .split(stream)
    .uniform(new Float64Array(rows.values.length));
  rows.values.forEach((x, i) => {
    values[i] = isReal[i % isReal.length] ? x : x + values[i];
  });
  return { ...rows, values };
}

export const dequantizedKind: DistributionKind<typeof dequantizedSchema> = {
  schema: dequantizedSchema,
  build: ({ type: _, distribution, dequantizer, ...settings }, random, nested) =>
    new Dequantized({
      distribution: nested(distribution, random.split("distribution")),
      ...(dequantizer && {
        dequantizer: bijectionRegistry.build(dequantizer, random.split("dequantizer")),
      }),
      ...settings,
    }),
};
