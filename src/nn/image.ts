import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import { largestSize } from "../sizeBudget.ts";

/** [height, width, channels]. As a row, an image has height * width * channels numbers in this order: channels last. */
export type ImageShape = [height: number, width: number, channels: number];

/** D, the number of columns of a row that is an image. */
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
