import * as z from "zod/mini";
import type { Bijection, DataRows } from "../bijections/bijection.ts";
import { bijectionRegistry, bijectionSchema } from "../bijections/build.ts";
import type { OuterStandardization } from "../bijections/outerStandardization.ts";
import type { Support } from "../bijections/support.ts";
import type { NestedSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { constant, stack, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { drawForRows, isTracingLoss } from "../graph/tracing/training.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import type { Atoms, Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import { onSupport } from "./distribution.ts";
import { Logistic } from "./logistic.ts";

/** The number of different noise offsets of rows: a prime whose square is below 2^22. */
const ROW_OFFSETS = 2039;

/** The noise of an evaluation is at least this far from 0 and 1, where a logit is infinite. */
const MIN_UNIFORM = 1e-6;

/** Below 2^17, float32 resolves the cells of whole numbers to 1/128. */
const MAX_VALUES = 2 ** 17;

const settingsFields = {
  values: z.union([
    z.int().check(z.minimum(2), z.maximum(MAX_VALUES)),
    z.array(z.nullable(z.int().check(z.minimum(1), z.maximum(MAX_VALUES)))),
  ]),
  /** Each draw evaluates the distribution once more. */
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
  dequantizer?: Bijection;
  /** K, the number of draws of noise in an evaluation. Default 1. */
  samples?: number;
  /** Seed of the noise of evaluations. Default 0. */
  seed?: number;
}

/**
 * Rows of D whole numbers, such as pixels, under a density p of real numbers: P(x) = integral of p(x + u) over u in (0, 1)^D
 * (Theis et al. 2016). `logProb` is an importance-sampled estimate of log P(x) in nats. Its expectation is a lower bound, which
 * increases with the number of draws (Burda et al. 2016):
 *
 *     log 1/K sum_k p(x + u_k) / q(u_k | x),  u_k from q.
 *
 * q is uniform, or the density of the flow `dequantizer` (variational dequantization, Ho et al. 2019, "Flow++"). The loss of a
 * training step draws one u for each row. An evaluation uses K draws that follow from the seed and the row, so that its result is a
 * function of the row. log P(x) is -Infinity unless all features are whole numbers from 0 to values - 1. If some features are real
 * numbers, it is the logarithm of their density times the probability of the others.
 */
export class Dequantized implements Distribution {
  readonly distribution: Distribution;
  readonly dequantizer: Bijection | undefined;
  readonly values: number | readonly (number | null)[];
  readonly isBound = true;
  private readonly settings: z.output<typeof settingsSchema>;

  /** Throws `ARGUMENT` if the options are not valid, `SHAPE` unless the dequantizer has D features and D context features. */
  constructor({ distribution, dequantizer, ...settings }: DequantizedOptions) {
    this.settings = parse(settingsSchema, settings, "a dequantized distribution");
    this.distribution = distribution;
    this.dequantizer = dequantizer;
    this.values = this.settings.values;
    const { features } = distribution;
    if (typeof this.values === "object" && this.values.length !== features) {
      throw new PushforwardError("SHAPE", "a list of numbers of values has one number for each feature", {
        expected: `${features} numbers`,
        received: `${this.values.length}`,
      });
    }
    if (typeof this.values === "object" && dequantizer) {
      throw new PushforwardError("ARGUMENT", "a dequantizer needs one number of values for all features", {
        hint: "Leave out the dequantizer: the noise is uniform then.",
      });
    }
    if (dequantizer && (dequantizer.features !== features || dequantizer.context !== features)) {
      const sizes = (own: number, context: number) => `${own} features and ${context} context features`;
      throw new PushforwardError(
        "SHAPE",
        "a dequantizer maps noise of the size of a row, with the row as its context",
        {
          expected: sizes(features, features),
          received: sizes(dequantizer.features, dequantizer.context),
        },
      );
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
  private get counts(): readonly (number | null)[] {
    return typeof this.values === "number" ? new Array(this.features).fill(this.values) : this.values;
  }

  /** [D], the largest whole number of each feature; 0 for real numbers. */
  private get largest(): Tensor {
    return constant(
      this.counts.map((count) => (count ?? 1) - 1),
      [this.features],
    );
  }

  /** `[N, D]`: `ofWhole` for the features of whole numbers, and `ofReal` for the features of real numbers. */
  private select(ofWhole: Tensor, ofReal: Tensor | number): Tensor {
    const { counts, features } = this;
    if (!counts.includes(null)) return ofWhole;
    const isWhole = constant(
      counts.map((count) => (count === null ? 0 : 1)),
      [features],
    );
    return isWhole.greater(0).where(ofWhole, ofReal);
  }

  get atoms(): readonly Atoms[] {
    return this.counts.map((count) => (count === null ? [] : "all"));
  }

  get support(): Support {
    if (typeof this.values === "number") return { description: `whole numbers from 0 to ${this.values - 1}` };
    return { description: "whole numbers from 0 that are less than the number of values of their feature" };
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const whole = this.select(x, 0);
    const isValue = whole.equal(whole.floor()).and(whole.greaterEqual(0)).and(whole.lessEqual(this.largest));
    const valid = isValue.where(x, 0);
    const bounds = this.draws(valid).map((uniform) => {
      const { u, logProb } = this.dequantize(valid, uniform);
      return scoped("distribution", () => this.distribution.logProb(valid.add(u), context)).sub(logProb);
    });
    const estimate =
      bounds.length === 1 ? bounds[0] : stack(bounds, 1).logsumexp(1).sub(Math.log(bounds.length));
    return onSupport(x, isValue, estimate);
  }

  /** The uniform noise [N, D] of each draw. */
  private draws(x: Tensor): Tensor[] {
    const { features, settings } = this;
    if (isTracingLoss()) return [drawForRows("uniform", features)];
    const random = new Random(settings.seed).split("dequantize");
    const fixed = x.stopGradient();
    const codes = this.select(fixed, realCodes(fixed));
    const offset = rowOffsets(codes, this.counts, random.split("rows"));
    return Array.from({ length: settings.samples }, (_, k) => {
      const draw = random.split(k).uniform(new Float64Array(features));
      const shifted = offset.add(constant(draw, [features]));
      return shifted.sub(shifted.floor()).clip(MIN_UNIFORM, 1 - MIN_UNIFORM);
    });
  }

  /** u in (0, 1)^D and log q(u | x). */
  private dequantize(x: Tensor, uniform: Tensor): { u: Tensor; logProb: Tensor | number } {
    const { dequantizer, features, values } = this;
    if (!dequantizer || typeof values === "object") return { u: this.select(uniform, 0), logProb: 0 };
    const scaled = x.mul(2 / (values - 1)).sub(1);
    const base = new Logistic({ features });
    const z = base.sample([uniform]);
    const { value: u, logDet } = scoped("dequantizer", () => dequantizer.forward(z, scaled));
    return { u, logProb: base.logProb(z).sub(logDet) };
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const x = scoped("distribution", () => this.distribution.sample(noise, context));
    return this.select(x.floor().maximum(0).minimum(this.largest), x);
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
    const { dequantizer, settings } = this;
    const inner = this.distribution.contextStandardization;
    return (
      inner && {
        standardize: inner.standardize,
        relativeTo: (outer) =>
          new Dequantized({
            distribution: inner.relativeTo(outer),
            ...(dequantizer && { dequantizer }),
            ...settings,
          }),
      }
    );
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

/**
 * Offsets [N, D] in [0, 1), a hash of each row, which are added to the draws of an evaluation modulo 1 (Cranley-Patterson rotation).
 * If all rows shared their noise, the error of the mean over rows would not decrease with their number. The hash
 * multiplies integers below 2^22 and reduces them modulo a prime, which is exact in float32, so that all engines agree.
 */
function rowOffsets(codes: Tensor, counts: readonly (number | null)[], random: Random): Tensor {
  const features = counts.length;
  const integers = (name: string, below: number) =>
    random
      .split(name)
      .uniform(new Float64Array(features))
      .map((u) => Math.floor(u * below));
  // Weights are integers below this. For very long rows they are 0 or 1, and the weighted sum may exceed 2^22 and be rounded.
  const sum = counts.reduce<number>((total, count) => total + (count ?? REAL_CODES) - 1, 0);
  const largest = Math.max(2, Math.floor(2 ** 22 / Math.max(1, sum)));
  const hash = modulo(
    codes.mul(constant(integers("weights", largest), [features])).sum(1, { keepAxes: true }),
  );
  const factors = integers("factors", ROW_OFFSETS - 1).map((factor) => factor + 1);
  return modulo(hash.mul(constant(factors, [features]))).mul(1 / ROW_OFFSETS);
}

/** A whole number below 2^23 modulo `ROW_OFFSETS`. Adding one half keeps the rounded quotient on the right side of whole numbers. */
const modulo = (x: Tensor): Tensor =>
  x.sub(
    x
      .add(0.5)
      .mul(1 / ROW_OFFSETS)
      .floor()
      .mul(ROW_OFFSETS),
  );

/** A real number is hashed by the fraction of a multiple of it, in steps of 1 / `REAL_CODES`. */
const REAL_CODES = 64;
const REAL_MULTIPLE = 97;

/**
 * Whole numbers from 0 to `REAL_CODES` - 1, which are different for most pairs of different real numbers. Engines that round differently
 * may give different ones.
 */
function realCodes(x: Tensor): Tensor {
  const multiple = x.mul(REAL_MULTIPLE);
  return multiple
    .sub(multiple.floor())
    .mul(REAL_CODES)
    .floor()
    .clip(0, REAL_CODES - 1);
}

function withUniformNoise(rows: DataRows, counts: readonly (number | null)[], stream: number): DataRows {
  const noise = new Random(0).split("dequantize").split(stream).uniform(new Float64Array(rows.values.length));
  const isReal = counts.map((count) => count === null);
  return { ...rows, values: rows.values.map((x, i) => (isReal[i % isReal.length] ? x : x + noise[i])) };
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
