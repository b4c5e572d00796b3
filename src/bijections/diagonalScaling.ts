import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor } from "../graph/index.ts";
import { inverseSoftClamp, LOG_BOUND } from "../numerics/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, DataRows, Transformed } from "./bijection.ts";
import { columnMoments } from "./moments.ts";

const diagonalScalingSchema = z.strictObject({
  type: z.literal("diagonalScaling"),
  features: sizeSchema,
});

/**
 * Log-scales that are fitted to data are limited to this fraction of `LOG_BOUND`. The smooth clamp is nearly flat at its bound, so training
 * could hardly change a larger log-scale.
 */
const MAX_FITTED_FRACTION = 0.95;

/**
 * x_i = z_i exp(s_i) with learned s: the last layer of NICE, whose coupling layers preserve volume (Dinh et al. 2015; the
 * paper's S is exp(-s)). `fitToData` sets the scale of each feature to its standard deviation.
 */
export class DiagonalScaling implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly logScale: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const description = { type: "diagonalScaling", ...options };
    this.features = parse(diagonalScalingSchema, description, "a diagonal scaling").features;
    this.logScale = new Parameter([this.features], 0);
  }

  forward(z: Tensor): Transformed {
    const logScale = this.logScale.softClamp(LOG_BOUND);
    return { value: z.mul(logScale.exp()), logDet: logScale.sum() };
  }

  inverse(x: Tensor): Transformed {
    const negative = this.logScale.softClamp(LOG_BOUND).neg();
    return { value: x.mul(negative.exp()), logDet: negative.sum() };
  }

  fitToData(rows: DataRows): void {
    this.setLogScales(logDeviations(rows));
  }

  /** Sets s such that x = z exp(s) has standard deviation 1. */
  fitToLatent(rows: DataRows): void {
    this.setLogScales(logDeviations(rows).map((each) => -each));
  }

  private setLogScales(logScales: Float64Array): void {
    const largest = MAX_FITTED_FRACTION * LOG_BOUND;
    const bounded = logScales.map((each) => Math.max(-largest, Math.min(largest, each)));
    this.logScale.value.set(bounded.map((each) => inverseSoftClamp(each, LOG_BOUND)));
  }

  describe(): Description {
    return { type: "diagonalScaling", features: this.features };
  }
}

/** The logarithms of the standard deviations of the columns; 0 for a constant column. */
const logDeviations = (rows: DataRows): Float64Array =>
  columnMoments(rows).deviation.map((d) => (d > 0 ? Math.log(d) : 0));

export const diagonalScalingKind: BijectionKind<typeof diagonalScalingSchema> = {
  schema: diagonalScalingSchema,
  build: (description) => new DiagonalScaling(description),
};
