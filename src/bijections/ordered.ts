import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, scalar, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { clampExponent } from "./constraint.ts";

const orderedSchema = z.strictObject({ type: z.literal("ordered"), features: sizeSchema });

/**
 * Maps onto increasing rows x_1 < x_2 < ... < x_D: x_1 = z_1, x_k = x_k-1 + exp(z_k) (Stan Reference Manual, "Ordered vector").
 * Sampling clamps z_2 ... z_D to [-80, 80]. The log-determinant of rows that do not increase is -Infinity.
 */
export class Ordered implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "ordered";

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const description = { type: "ordered", ...options };
    this.features = parse(orderedSchema, description, "an ordered bijection").features;
  }

  forward(z: Tensor): Transformed {
    if (this.features === 1) return { value: z, logDet: scalar(0) };
    const [first, rawLogGaps] = z.split(1, [1, this.features - 1]);
    const logGaps = clampExponent(rawLogGaps);
    return { value: concat([first, logGaps.exp()], 1).cumsum(-1), logDet: logGaps.sum(-1) };
  }

  inverse(x: Tensor): Transformed {
    if (this.features === 1) return { value: x, logDet: scalar(0) };
    const last = this.features - 1;
    const gaps = x.slice(1, 1, this.features).sub(x.slice(1, 0, last));
    const outside = gaps.lessEqual(0);
    const logGaps = outside.where(1, gaps).log();
    return {
      value: concat([x.slice(1, 0, 1), logGaps], 1),
      logDet: outside.where(Number.NEGATIVE_INFINITY, logGaps.neg()).sum(-1),
    };
  }

  describe(): Description {
    return { type: "ordered", features: this.features };
  }
}

export const orderedKind: BijectionKind<typeof orderedSchema> = {
  schema: orderedSchema,
  build: (description) => new Ordered(description),
};
