import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

const diagonalScalingSchema = z.strictObject({
  type: z.literal("diagonalScaling"),
  features: sizeSchema,
});

/** s is clamped smoothly to +-log 1000, so that no scale overflows. */
const LOG_SCALE_BOUND = Math.log(1000);

/**
 * x_i = z_i exp(s_i) with learned s: the last layer of NICE, whose coupling layers preserve volume (Dinh et al. 2015; the
 * paper's S is exp(-s)).
 */
export class DiagonalScaling implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly logScale: Parameter;

  constructor(options: { features: number }) {
    const description = { type: "diagonalScaling", ...options };
    this.features = parse(diagonalScalingSchema, description, "a diagonal scaling").features;
    this.logScale = new Parameter([this.features], 0);
  }

  forward(z: Tensor): Transformed {
    const logScale = this.logScale.softClamp(LOG_SCALE_BOUND);
    return { value: z.mul(logScale.exp()), logDet: logScale.sum() };
  }

  inverse(x: Tensor): Transformed {
    const negative = this.logScale.softClamp(LOG_SCALE_BOUND).neg();
    return { value: x.mul(negative.exp()), logDet: negative.sum() };
  }

  describe(): Description {
    return { type: "diagonalScaling", features: this.features };
  }
}

export const diagonalScalingKind: BijectionKind<typeof diagonalScalingSchema> = {
  schema: diagonalScalingSchema,
  build: (description) => new DiagonalScaling(description),
};
