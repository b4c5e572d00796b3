import * as z from "zod/mini";
import { largestSize } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";

/** [height, width, channels]. As a row, an image has height * width * channels numbers in this order: channels last. */
export type ImageShape = [height: number, width: number, channels: number];

/** D, the number of features of an image as a row. */
export const imageSize = ([height, width, channels]: ImageShape): number => height * width * channels;

export const imageSchema = z.tuple([sizeSchema, sizeSchema, sizeSchema]).check(
  z.refine((image) => imageSize(image) <= largestSize(), {
    error: () => `at most ${largestSize()} numbers, because of the size of the file`,
  }),
);

/** Rows [N, D] as images [N, height, width, channels]. */
export const toImages = (rows: Tensor, image: ImageShape): Tensor => rows.reshape(["N", ...image]);

/** Images [N, height, width, channels] as rows [N, D]. */
export const toRows = (images: Tensor): Tensor =>
  images.reshape(["N", (images.shape.slice(1) as number[]).reduce((a, b) => a * b)]);

/** Exchanges the row in a block and the column of the block, [N, row, i, column, j, channel] <-> [N, row, column, i, j, channel]. */
const EXCHANGE_AXES = [0, 1, 3, 2, 4, 5];

/**
 * Space to depth, as in TensorFlow: rows [N, D] as the p x p blocks of pixels of their images, from left to right and from top to
 * bottom, [N, blocks, p p channels]. The numbers of a block are in the order of a small image.
 */
export const spaceToDepth = (rows: Tensor, [height, width, channels]: ImageShape, p: number): Tensor =>
  rows
    .reshape(["N", height / p, p, width / p, p, channels])
    .transpose(EXCHANGE_AXES)
    .reshape(["N", (height / p) * (width / p), p * p * channels]);

/** The inverse of `spaceToDepth`: blocks [N, blocks, p p channels] as rows [N, D]. */
export const depthToSpace = (blocks: Tensor, [height, width, channels]: ImageShape, p: number): Tensor =>
  blocks
    .reshape(["N", height / p, width / p, p, p, channels])
    .transpose(EXCHANGE_AXES)
    .reshape(["N", height * width * channels]);
