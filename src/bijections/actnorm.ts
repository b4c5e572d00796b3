import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, DataRows, Transformed } from "./bijection.ts";
import { columnMoments } from "./moments.ts";

const actnormSchema = z.strictObject({ type: z.literal("actnorm"), features: sizeSchema });

/**
 * Activation normalization, x_i = z_i exp(s_i) + t_i with learned s and t (Kingma and Dhariwal 2018, "Glow"). `fit`
 * initializes s and t from the training rows such that z has mean 0 and standard deviation 1. A constant column keeps s = 0.
 */
export class Actnorm implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly shift: Parameter;
  readonly logScale: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const { features } = parse(actnormSchema, { type: "actnorm", ...options }, "an actnorm");
    this.features = features;
    this.shift = new Parameter([features], 0);
    this.logScale = new Parameter([features], 0, { domain: LOGARITHM });
  }

  forward(z: Tensor): Transformed {
    return { value: z.mul(this.logScale.exp()).add(this.shift), logDet: this.logScale.sum() };
  }

  inverse(x: Tensor): Transformed {
    return { value: x.sub(this.shift).mul(this.logScale.neg().exp()), logDet: this.logScale.sum().neg() };
  }

  fitToData(rows: DataRows): void {
    const { mean, deviation } = columnMoments(rows);
    this.shift.value.set(mean);
    this.logScale.value.set(deviation.map((d) => (d > 0 ? Math.log(d) : 0)));
  }

  /** Sets s and t such that x = z exp(s) + t has mean 0 and standard deviation 1. */
  fitToLatent(rows: DataRows): void {
    const { mean, deviation } = columnMoments(rows);
    const scales = deviation.map((d) => (d > 0 ? 1 / d : 1));
    this.shift.value.set(scales.map((scale, i) => -mean[i] * scale));
    this.logScale.value.set(scales.map(Math.log));
  }

  describe(): Description {
    return { type: "actnorm", features: this.features };
  }
}

export const actnormKind: BijectionKind<typeof actnormSchema> = {
  schema: actnormSchema,
  build: (description) => new Actnorm(description),
};
