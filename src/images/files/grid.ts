import { checkOptions, integerFrom, PushforwardError } from "../../check/index.ts";
import { type ImageShape, imageSize } from "../../nn/index.ts";
import type { Picture } from "./pictureFile.ts";

/** Options of `imageGrid`. */
export interface ImageGridOptions {
  /** The number of images in a row of the grid. Default: the square root of the number of images, rounded up. */
  readonly columns?: number | undefined;
  /** The distance between two images, in pixels of the picture. Default 2. */
  readonly gap?: number | undefined;
  /** The side of the square that shows a pixel of an image. By default the picture is about 600 pixels wide, and the side at least 1. */
  readonly scale?: number | undefined;
}

/** Pixels from 0 to values - 1 as gray levels from 0 to 255: round(255 x / (values - 1)). */
export const grayLevels = (pixels: ArrayLike<number>, values: number): Uint8Array =>
  Uint8Array.from(pixels, (value) => Math.round((255 * value) / (values - 1)));

/** The gray level between images. */
const BACKGROUND = 232;

/**
 * Draws images [n, height, width, channels] of gray or color levels from 0 to 255 as a grid in one picture, row by row. Throws `ARGUMENT`
 * if there are no images, or one is not complete.
 */
export function imageGrid(
  pixels: Uint8Array,
  [height, width, channels]: ImageShape,
  options: ImageGridOptions = {},
): Picture {
  checkOptions("imageGrid", options, { columns: integerFrom(1), gap: integerFrom(0), scale: integerFrom(1) });
  const count = pixels.length / imageSize([height, width, channels]);
  if (!Number.isInteger(count) || count === 0) {
    throw new PushforwardError(
      "ARGUMENT",
      count === 0 ? "there are no images to draw" : "the pixels are not those of whole images",
      {
        expected: `a positive multiple of ${imageSize([height, width, channels])} numbers`,
        received: `${pixels.length}`,
      },
    );
  }
  const { columns = Math.ceil(Math.sqrt(count)), gap = 2 } = options;
  const { scale = Math.max(1, Math.round(600 / (columns * (width + gap)))) } = options;
  const [stepX, stepY] = [width * scale + gap, height * scale + gap];
  const shape: ImageShape = [Math.ceil(count / columns) * stepY + gap, columns * stepX + gap, channels];
  const grid = new Uint8Array(imageSize(shape)).fill(BACKGROUND);
  for (let i = 0; i < count; i++) {
    const [left, top] = [gap + (i % columns) * stepX, gap + Math.floor(i / columns) * stepY];
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = ((i * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        grid.set(pixels.subarray(from, from + channels), ((top + y) * shape[1] + left + x) * channels);
      }
    }
  }
  return { shape, pixels: grid };
}
