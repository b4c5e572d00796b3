import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, positiveSchema, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { MAX_EXPONENT } from "./constraint.ts";

const tailsSchema = z.strictObject({
  type: z.literal("tails"),
  features: sizeSchema,
  start: z._default(positiveSchema, 4),
});

/**
 * Heavier tails by a logarithm: z = x for |x| <= c, and z = sign(x) (c + log(1 + |x| - c)) beyond, which is continuous with slope 1
 * at c. c is `start`, by default 4.
 *
 * With a normal z the tails of x are those of a log-normal distribution instead of exp(-x^2 / 2): an outlier at 10^6 standard
 * deviations costs about 170 nats instead of 5 10^11, and 10^30 is finite in float32. Sampling clamps z to +-(c + 80).
 */
export class Tails implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly start: number;

  /**
   * `start` is c. Default 4. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or `start` is not from 1e-30 to 1e30.
   */
  constructor(options: { features: number; start?: number }) {
    const { features, start } = parse(tailsSchema, { type: "tails", ...options }, "tails");
    this.features = features;
    this.start = start;
  }

  inverse(x: Tensor): Transformed {
    const beyond = x.abs().sub(this.start).maximum(0);
    const log = beyond.log1p();
    return {
      value: this.isUnchanged(x).where(x, x.sign().mul(log.add(this.start))),
      logDet: sumFeatures(log.neg(), this.features),
    };
  }

  forward(z: Tensor): Transformed {
    const beyond = z.abs().sub(this.start).maximum(0).minimum(MAX_EXPONENT);
    return {
      value: this.isUnchanged(z).where(z, z.sign().mul(beyond.expm1().add(this.start))),
      logDet: sumFeatures(beyond, this.features),
    };
  }

  private isUnchanged(u: Tensor): Tensor {
    return u.abs().lessEqual(this.start);
  }

  describe(): Description {
    return { type: "tails", features: this.features, start: this.start };
  }
}

export const tailsKind: BijectionKind<typeof tailsSchema> = {
  schema: tailsSchema,
  build: ({ type: _, ...options }) => new Tails(options),
};
