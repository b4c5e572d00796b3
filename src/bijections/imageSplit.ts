import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { inversePermutation } from "../nn/axisPermutations.ts";
import { type ImageShape, toImages, toRows } from "../nn/image.ts";

/** How a coupling divides an image into numbers that stay and numbers that change. */
export interface ImageSplit {
  /** The numbers of a row that change. */
  readonly changed: readonly number[];
  /** The number of channels of `unchangedImage`. */
  readonly inputChannels: number;
  /** The unchanged numbers of rows [N, D] as images [N, H, W, inputChannels]. */
  unchangedImage(rows: Tensor): Tensor;
  /** The changed numbers of rows [N, D], in the order of `changed`. */
  changedNumbers(rows: Tensor): Tensor;
  /** Rows [N, D] with other values of the changed numbers. */
  replaced(rows: Tensor, values: Tensor): Tensor;
}

/** The first half of the channels, rounded down, stays unchanged; or, if inverted, the others. */
export function channelSplit(image: ImageShape, inverted: boolean): ImageSplit {
  const [height, width, channels] = image;
  const half = Math.floor(channels / 2);
  const sizes = [half, channels - half];
  const [stays, changes] = inverted ? [1, 0] : [0, 1];
  const isChanged = (number: number) => number % channels >= half !== inverted;
  const parts = (rows: Tensor) => toImages(rows, image).split(3, sizes);
  return {
    changed: numbersWhere(image, isChanged),
    inputChannels: sizes[stays],
    unchangedImage: (rows) => parts(rows)[stays],
    changedNumbers: (rows) => toRows(parts(rows)[changes]),
    replaced: (rows, values) => {
      const changed = toImages(values, [height, width, sizes[changes]]);
      const unchanged = parts(rows)[stays];
      return toRows(concat(inverted ? [changed, unchanged] : [unchanged, changed], 3));
    },
  };
}

/**
 * Pixels whose row plus column is even stay unchanged; or, if inverted, the others (Dinh et al. 2017, section 3.4). The unchanged
 * image has 0 for the changed pixels.
 */
export function checkerboardSplit(image: ImageShape, inverted: boolean): ImageSplit {
  const [height, width, channels] = image;
  const isChangedPixel = (pixel: number) =>
    ((Math.floor(pixel / width) + (pixel % width)) % 2 === 1) !== inverted;
  const isChanged = (number: number) => isChangedPixel(Math.floor(number / channels));
  const changed = numbersWhere(image, isChanged);
  const unchanged = numbersWhere(image, (number) => !isChanged(number));
  const positions = inversePermutation([...unchanged, ...changed]);
  const mask = constant(
    Array.from({ length: height * width }, (_, pixel) => (isChangedPixel(pixel) ? 0 : 1)),
    [height, width, 1],
  );
  return {
    changed,
    inputChannels: channels,
    unchangedImage: (rows) => toImages(rows, image).mul(mask),
    changedNumbers: (rows) => rows.gather(1, changed),
    replaced: (rows, values) => concat([rows.gather(1, unchanged), values], 1).gather(1, positions),
  };
}

const numbersWhere = (
  [height, width, channels]: ImageShape,
  condition: (number: number) => boolean,
): number[] => Array.from({ length: height * width * channels }, (_, number) => number).filter(condition);
