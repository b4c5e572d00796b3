import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import {
  batchSize,
  Parameter,
  sizeOf,
  type Tensor,
  updateAfterStep,
  usesBatchStatistics,
} from "../graph/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { type Description, positiveSchema, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, DataRows, Transformed } from "./bijection.ts";
import { columnMoments } from "./moments.ts";

/**
 * After n batches the next one gets at least the weight 9 / (10 + n) in the running statistics, so that they soon forget their
 * initial values. `fit` averages the parameters over the steps by the same rule, so both averages cover the same batches.
 */
const WARM_UP_BATCHES = 10;

/** The positive numbers of float32. */
const VARIANCE_DOMAIN = { min: 2 ** -149, max: 3.4e38 };
/** Far above the largest count, 10 / (1 - decay), for every decay < 1. */
const COUNT_DOMAIN = { min: 0, max: 1e19 };

const batchNormSchema = z.strictObject({
  type: z.literal("batchNorm"),
  features: sizeSchema,
  decay: z._default(z.number().check(z.minimum(0), z.lt(1)), 0.99),
  epsilon: z._default(positiveSchema, 1e-5),
});

/** Options of `BatchNorm`. */
export interface BatchNormOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** Weight of the old running statistics in each update, in [0, 1). Default 0.99. */
  decay?: number | undefined;
  /** Added to variances, so that they are positive for constant columns too. Default 1e-5. */
  epsilon?: number | undefined;
}

/**
 * Batch normalization, z_i = (x_i - m_i) exp(s_i) / sqrt(v_i) + t_i with learned s and t (Dinh et al. 2017; Papamakarios et al.
 * 2017, section 3.4). In the steps of `fit`, m and v are the mean and the variance of the batch, and gradients flow through
 * them. Validation, evaluation, sampling and `fitDensity` use running statistics instead: moving averages over the batches,
 * which `fit` initializes from the training rows. Inside of `Invert`, the density direction is the `forward` of this class, which uses the
 * running statistics in training too, and does not update them.
 *
 * The statistics need the whole batch, so a flow with a batch normalization trains on one thread. All rows of a batch count
 * equally in them, whatever their weights in the loss.
 */
export class BatchNorm implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly shift: Parameter;
  readonly logScale: Parameter;
  readonly mean: Parameter;
  /** The running variance plus epsilon. */
  readonly variance: Parameter;
  /** The number of batches so far. It stops at 10 / (1 - decay), from where on the weight of a batch is constant. */
  readonly count: Parameter;
  private readonly options: z.output<typeof batchNormSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: BatchNormOptions) {
    this.options = parse(batchNormSchema, { type: "batchNorm", ...options }, "a batch normalization");
    const { features } = this.options;
    this.features = features;
    this.shift = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0);
    this.mean = new Parameter([features], 0, { running: true });
    this.variance = new Parameter([features], 1, { running: true, domain: VARIANCE_DOMAIN });
    this.count = new Parameter([], 0, { running: true, domain: COUNT_DOMAIN });
  }

  forward(z: Tensor): Transformed {
    const { mean, variance, shift } = this;
    const logScale = this.logSlopes(variance);
    return { value: z.sub(shift).mul(logScale.neg().exp()).add(mean), logDet: logScale.sum().neg() };
  }

  inverse(x: Tensor): Transformed {
    const { mean, variance } = usesBatchStatistics() ? this.batchStatistics(x) : this;
    const logScale = this.logSlopes(variance);
    return { value: x.sub(mean).mul(logScale.exp()).add(this.shift), logDet: logScale.sum() };
  }

  /** log dz_i / dx_i, [D]. */
  private logSlopes(variance: Tensor): Tensor {
    return this.logScale.softClamp(LOG_BOUND).sub(variance.log().mul(0.5));
  }

  /** The mean and variance of a batch; after the step, the running statistics are updated with them. */
  private batchStatistics(x: Tensor): { mean: Tensor; variance: Tensor } {
    const { decay, epsilon } = this.options;
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const mean = x.mean(axes);
    const variance = x.sub(mean).square().mean(axes);
    const weight = this.count
      .add(WARM_UP_BATCHES)
      .reciprocal()
      .mul(WARM_UP_BATCHES - 1)
      .maximum(1 - decay);
    const updated = (running: Tensor, batch: Tensor) => running.add(batch.sub(running).mul(weight));
    // Bessel's correction, n / (n - 1): deviations from the batch's mean are smaller than those from the true mean.
    const count = batchSize().mul(sizeOf(x.shape.slice(1, -1)));
    const unbiased = variance.mul(count.div(count.sub(1).maximum(1)));
    updateAfterStep(this.mean, updated(this.mean, mean));
    updateAfterStep(this.variance, updated(this.variance, unbiased.add(epsilon)));
    updateAfterStep(this.count, this.count.add(1).minimum(WARM_UP_BATCHES / (1 - decay)));
    return { mean, variance: variance.add(epsilon) };
  }

  fitToData(rows: DataRows): void {
    const { epsilon } = this.options;
    const { mean, deviation } = columnMoments(rows);
    this.mean.value.set(mean);
    this.variance.value.set(deviation.map((d) => d * d + epsilon));
    this.count.value.set([0]);
  }

  /** Sets the running statistics such that `forward` returns rows of mean 0 and standard deviation 1. */
  fitToLatent(rows: DataRows): void {
    const { mean, deviation } = columnMoments(rows);
    const variance = deviation.map((d) => 1 / (d * d + this.options.epsilon));
    this.mean.value.set(mean.map((m, i) => -m * Math.sqrt(variance[i])));
    this.variance.value.set(variance);
    this.count.value.set([0]);
  }

  describe(): Description {
    return this.options;
  }
}

export const batchNormKind: BijectionKind<typeof batchNormSchema> = {
  schema: batchNormSchema,
  build: ({ type: _, ...options }) => new BatchNorm(options),
};
