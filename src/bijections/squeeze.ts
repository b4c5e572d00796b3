import * as z from "zod/mini";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { type ImageShape, imageSchema, imageSize } from "../nn/image.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

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

/** Axes [N, row, row in block, column, column in block, channel] with those of the block before the channel. */
const BLOCK_LAST = [0, 1, 3, 2, 4, 5];

/**
 * Squeezing of RealNVP (Dinh et al. 2017, section 3.6): toward the latent side, each 2x2 block of pixels becomes one pixel with
 * four times as many channels, [H, W, C] -> [H/2, W/2, 4 C]. It only reorders a row, so its log-determinant is 0.
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

  /** [height, width, channels] of the image on the side of the latent. */
  get squeezed(): ImageShape {
    const [height, width, channels] = this.image;
    return [height / 2, width / 2, 4 * channels];
  }

  forward(z: Tensor): Transformed {
    const [height, width, channels] = this.image;
    const blocks = z.reshape(["N", height / 2, width / 2, 2, 2, channels]);
    // BLOCK_LAST exchanges two axes, so it is its own inverse.
    return { value: blocks.transpose(BLOCK_LAST).reshape(["N", this.features]), logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    const [height, width, channels] = this.image;
    const blocks = x.reshape(["N", height / 2, 2, width / 2, 2, channels]);
    return { value: blocks.transpose(BLOCK_LAST).reshape(["N", this.features]), logDet: scalar(0) };
  }

  describe(): Description {
    return { type: "squeeze", image: this.image };
  }
}

export const squeezeKind: BijectionKind<typeof squeezeSchema> = {
  schema: squeezeSchema,
  build: ({ type: _, ...options }) => new Squeeze(options),
};
