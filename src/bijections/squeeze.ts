import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { scalar, type Tensor } from "../graph/index.ts";
import { depthToSpace, type ImageShape, imageSchema, imageSize, spaceToDepth } from "../nn/index.ts";
import type { Description } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

const squeezeSchema = z.strictObject({
  type: z.literal("squeeze"),
  image: imageSchema.check(
    z.refine(([height, width]) => height % 2 === 0 && width % 2 === 0, {
      error: "an even height and an even width",
    }),
  ),
});

/** Options of `Squeeze`. */
export interface SqueezeOptions {
  /** [height, width, channels] of the image on the side of the data; height and width are even. */
  image: ImageShape;
}

/** The height and the width of the blocks. */
const BLOCK = 2;

/**
 * Squeezing of RealNVP (Dinh et al. 2017, section 3.6): toward the latent side, each 2 x 2 block of pixels becomes one pixel with
 * four times as many channels, [H, W, C] -> [H/2, W/2, 4 C]. It permutes the features of a row, so its
 * log-determinant is 0.
 */
export class Squeeze implements Bijection {
  readonly features: number;
  readonly context = 0;
  private readonly image: ImageShape;

  /** Throws `ARGUMENT` if the height or the width is odd. */
  constructor(options: SqueezeOptions) {
    this.image = parse(squeezeSchema, { type: "squeeze", ...options }, "a squeeze").image;
    this.features = imageSize(this.image);
  }

  /** [height, width, channels] of the image on the latent side. */
  get squeezed(): ImageShape {
    const [height, width, channels] = this.image;
    return [height / 2, width / 2, 4 * channels];
  }

  forward(z: Tensor): Transformed {
    return { value: depthToSpace(z, this.image, BLOCK), logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    return { value: spaceToDepth(x, this.image, BLOCK).reshape(["N", this.features]), logDet: scalar(0) };
  }

  describe(): Description {
    return { type: "squeeze", image: this.image };
  }
}

export const squeezeKind: BijectionKind<typeof squeezeSchema> = {
  schema: squeezeSchema,
  build: ({ type: _, ...options }) => new Squeeze(options),
};
