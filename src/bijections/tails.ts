import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";

const tailsSchema = z.strictObject({
  type: z.literal("tails"),
  features: sizeSchema,
  /** c, where the logarithm begins. */
  start: z._default(positiveSchema, 4),
});

/** exp(80) = 5e34 is still finite in float32; a latent value beyond c + 80 does not occur. */
const FARTHEST = 80;

/**
 * Compresses what is far out: z = x for |x| <= c, sign(x) (c + log(1 + |x| - c)) beyond; continuous with slope 1 at c.
 *
 * Under a Gaussian latent the density then falls like a log-normal's instead of exp(-x^2 / 2): an outlier of 10^6
 * deviations costs about 150 nats, not 5 10^11, and 10^30 stays finite in float32. Sampling maps latent values beyond
 * c + 80 as if they were there.
 */
export class Tails implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly start: number;

  constructor(options: { features: number; start?: number }) {
    const { features, start } = parse(tailsSchema, { type: "tails", ...options }, "tails");
    this.features = features;
    this.start = start;
  }

  inverse(x: Tensor): Transformed {
    const beyond = x.abs().sub(this.start).maximum(0);
    const log = beyond.log1p();
    return {
      value: this.inside(x).where(x, x.sign().mul(log.add(this.start))),
      logDet: sumFeatures(log.neg(), this.features),
    };
  }

  forward(z: Tensor): Transformed {
    const beyond = z.abs().sub(this.start).maximum(0).minimum(FARTHEST);
    return {
      value: this.inside(z).where(z, z.sign().mul(beyond.expm1().add(this.start))),
      logDet: sumFeatures(beyond, this.features),
    };
  }

  private inside(u: Tensor): Tensor {
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
