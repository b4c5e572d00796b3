import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { scoped, type Tensor } from "../graph/index.ts";
import { type ImageShape, imageSchema, imageSize } from "../nn/index.ts";
import type { Description, NestedSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, DataRows, FitToRows, Transformed } from "./bijection.ts";

const perPixelSchema = (bijection: NestedSchema) =>
  z.strictObject({ type: z.literal("perPixel"), image: imageSchema, bijection });

/** Options of `PerPixel`. */
export interface PerPixelOptions {
  /** [height, width, channels] of the image. */
  image: ImageShape;
  /** A map of the channels with `actsOnLastAxis`, such as an `LULinear`, an `Actnorm` or a `BatchNorm`. */
  bijection: Bijection;
}

/**
 * Applies one map of the channels to each pixel of an image. The log-determinant is height * width times that of the map. With a
 * linear map it is the invertible 1x1 convolution of Glow (Kingma and Dhariwal 2018): `LULinear` in LU decomposition, `QRLinear`
 * or `MatrixExponential` for a dense matrix, all with an exact log-determinant. With `Actnorm` or `BatchNorm` it normalizes each
 * channel over all rows and pixels.
 */
export class PerPixel implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly bijection: Bijection;
  private readonly image: ImageShape;
  private readonly pixels: number;

  /** Throws `ARGUMENT` if the map does not act on the last axis, `SHAPE` unless it has one feature per channel. */
  constructor({ image, bijection }: PerPixelOptions) {
    this.image = parse(imageSchema, image, "the image of a PerPixel");
    this.bijection = bijection;
    this.features = imageSize(this.image);
    const [height, width, channels] = this.image;
    this.pixels = height * width;
    if (!bijection.actsOnLastAxis) {
      throw new PushforwardError("ARGUMENT", "PerPixel cannot apply this bijection to pixels", {
        expected: "a bijection with actsOnLastAxis, such as an LULinear, an Actnorm or a Chain of them",
        received: bijection.describe().type,
      });
    }
    if (bijection.features !== channels) {
      throw new PushforwardError("SHAPE", "a PerPixel needs a bijection with one feature per channel", {
        expected: `${channels} features`,
        received: `${bijection.features}`,
      });
    }
  }

  forward(z: Tensor): Transformed {
    return this.apply(z, (pixels) => this.bijection.forward(pixels));
  }

  inverse(x: Tensor): Transformed {
    return this.apply(x, (pixels) => this.bijection.inverse(pixels));
  }

  private apply(rows: Tensor, map: (pixels: Tensor) => Transformed): Transformed {
    const pixels = rows.reshape(["N", this.pixels, this.image[2]]);
    const { value, logDet } = scoped("bijection", () => map(pixels));
    return { value: value.reshape(["N", this.features]), logDet: logDet.mul(this.pixels) };
  }

  get fitToData(): FitToRows | undefined {
    return this.fitPixels("fitToData");
  }

  get fitToLatent(): FitToRows | undefined {
    return this.fitPixels("fitToLatent");
  }

  private fitPixels(fit: "fitToData" | "fitToLatent"): FitToRows | undefined {
    const { bijection } = this;
    return bijection[fit] && ((rows) => bijection[fit]!(this.pixelsOf(rows)));
  }

  /** The pixels of all images as rows of channels. */
  private pixelsOf({ rows, values, weights }: DataRows): DataRows {
    const { pixels } = this;
    return {
      rows: rows * pixels,
      features: this.image[2],
      values,
      ...(weights && {
        weights: Float64Array.from({ length: rows * pixels }, (_, i) => weights[Math.floor(i / pixels)]),
      }),
    };
  }

  describe(): Description {
    return { type: "perPixel", image: this.image, bijection: this.bijection.describe() };
  }
}

export const perPixelKind: BijectionKind<typeof perPixelSchema> = {
  schema: perPixelSchema,
  build: ({ image, bijection }, random, nested) =>
    new PerPixel({ image, bijection: nested(bijection, random) }),
};
