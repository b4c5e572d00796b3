import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import { batchSize, type Tensor } from "../graph/tensor.ts";
import { takesStatistics, updateAfterStep } from "../graph/tracing/drawn.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, DataRows, Description, Transformed } from "./bijection.ts";
import { columnMoments } from "./moments.ts";

/**
 * A young average forgets its start faster, by 1 - 9 / (10 + n) after n batches, as the moving average of the weights does:
 * weights and statistics that are evaluated together are then of the same age.
 */
const YOUTH = 10;

/** As far as s may go, smoothly. */
const LOG_SCALE_BOUND = Math.log(1000);

/** What float32 has above 0. */
const VARIANCE = { min: 2 ** -149, max: 3.4e38 };
const COUNT = { min: 0, max: 1e19 };

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
  /** Share of the running statistics that a batch leaves as it is, in [0, 1). Default 0.99. */
  decay?: number;
  /** Added to variances, so that a constant column has one. Default 1e-5. */
  epsilon?: number;
}

/**
 * z_i = (x_i - m_i) exp(s_i) / sqrt(v_i) + t_i with learned s and t, and m and v the mean and the variance of the batch while
 * `fit` trains, with the gradient through them (Dinh et al. 2017; Papamakarios et al. 2017, section 3.4). Everything else,
 * validation and sampling and `fitDensity` included, takes running statistics: moving averages over the batches that start
 * with the statistics of the training rows, and not at 0 or 1. A start without these is forgotten after a few batches.
 *
 * A mean and a variance need the whole batch, so a flow that holds one trains on one thread. In those of a batch all rows count
 * alike, whatever their weights in the loss.
 */
export class BatchNorm implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly shift: Parameter;
  readonly logScale: Parameter;
  readonly mean: Parameter;
  /** With epsilon. */
  readonly variance: Parameter;
  /** Batches so far, as long as they matter. */
  readonly count: Parameter;
  private readonly options: z.output<typeof batchNormSchema>;

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(options: BatchNormOptions) {
    this.options = parse(batchNormSchema, { type: "batchNorm", ...options }, "a batch normalization");
    const { features } = this.options;
    this.features = features;
    this.shift = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0);
    this.mean = new Parameter([features], 0, { running: true });
    this.variance = new Parameter([features], 1, { running: true, domain: VARIANCE });
    this.count = new Parameter([], 0, { running: true, domain: COUNT });
  }

  forward(z: Tensor): Transformed {
    const { mean, variance, shift } = this;
    const logScale = this.slopes(variance);
    return { value: z.sub(shift).mul(logScale.neg().exp()).add(mean), logDet: logScale.sum().neg() };
  }

  inverse(x: Tensor): Transformed {
    const { mean, variance } = takesStatistics() ? this.ofBatch(x) : this;
    const logScale = this.slopes(variance);
    return { value: x.sub(mean).mul(logScale.exp()).add(this.shift), logDet: logScale.sum() };
  }

  /** log dz / dx, [D]. */
  private slopes(variance: Tensor): Tensor {
    return this.logScale.softClamp(LOG_SCALE_BOUND).sub(variance.log().mul(0.5));
  }

  private ofBatch(x: Tensor): { mean: Tensor; variance: Tensor } {
    const { decay, epsilon } = this.options;
    const mean = x.mean(0);
    const variance = x.sub(mean).square().mean(0);
    const share = this.count
      .add(YOUTH)
      .reciprocal()
      .mul(YOUTH - 1)
      .maximum(1 - decay);
    const moved = (running: Tensor, batch: Tensor) => running.add(batch.sub(running).mul(share));
    // A batch's own variance is too small by this, since its mean is nearer to its rows than that of all.
    const unbiased = variance.mul(batchSize().div(batchSize().sub(1).maximum(1)));
    updateAfterStep(this.mean, moved(this.mean, mean));
    updateAfterStep(this.variance, moved(this.variance, unbiased.add(epsilon)));
    updateAfterStep(this.count, this.count.add(1).minimum(YOUTH / (1 - decay)));
    return { mean, variance: variance.add(epsilon) };
  }

  fitToData(rows: DataRows): void {
    const { epsilon } = this.options;
    const { mean, deviation } = columnMoments(rows);
    this.mean.value.set(mean);
    this.variance.value.set(deviation.map((d) => d * d + epsilon));
    this.count.value.set([0]);
  }

  /** Such that what `forward` gives has mean 0 and deviation 1. */
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
