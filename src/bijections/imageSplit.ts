import { concat, constant, type Tensor } from "../graph/index.ts";
import { type ImageShape, imageSize, inversePermutation, toImages, toRows } from "../nn/index.ts";

/** Which features of an image, the columns of a row, a coupling leaves unchanged, and which it changes. */
export interface ImageSplit {
  /** The indices of the changed features. */
  readonly changed: readonly number[];
  /** The number of channels of `unchangedImage`. */
  readonly inputChannels: number;
  /** The unchanged features of rows [N, D] as images [N, H, W, inputChannels]. */
  unchangedImage(rows: Tensor): Tensor;
  /** The changed features of rows [N, D], in the order of `changed`. */
  changedFeatures(rows: Tensor): Tensor;
  /** Rows [N, D] with other values of the changed features. */
  replaced(rows: Tensor, values: Tensor): Tensor;
}

/** Leaves the first half of the channels, rounded down, unchanged, or the other channels if `inverted`. */
export function channelSplit(image: ImageShape, inverted: boolean): ImageSplit {
  const [height, width, channels] = image;
  const half = Math.floor(channels / 2);
  const sizes = [half, channels - half];
  const [unchangedPart, changedPart] = inverted ? [1, 0] : [0, 1];
  const isChanged = (feature: number) => feature % channels >= half !== inverted;
  const parts = (rows: Tensor) => toImages(rows, image).split(3, sizes);
  return {
    changed: featuresWhere(image, isChanged),
    inputChannels: sizes[unchangedPart],
    unchangedImage: (rows) => parts(rows)[unchangedPart],
    changedFeatures: (rows) => toRows(parts(rows)[changedPart]),
    replaced: (rows, values) => {
      const changed = toImages(values, [height, width, sizes[changedPart]]);
      const unchanged = parts(rows)[unchangedPart];
      return toRows(concat(inverted ? [changed, unchanged] : [unchanged, changed], 3));
    },
  };
}

/**
 * Leaves the pixels whose row plus column is even unchanged, or the other pixels if `inverted` (Dinh et al. 2017, section 3.4). The
 * unchanged image has zeros in place of the changed pixels.
 */
export function checkerboardSplit(image: ImageShape, inverted: boolean): ImageSplit {
  const [height, width, channels] = image;
  const isChangedPixel = (pixel: number) =>
    ((Math.floor(pixel / width) + (pixel % width)) % 2 === 1) !== inverted;
  const isChanged = (feature: number) => isChangedPixel(Math.floor(feature / channels));
  const changed = featuresWhere(image, isChanged);
  const unchanged = featuresWhere(image, (feature) => !isChanged(feature));
  const positions = inversePermutation([...unchanged, ...changed]);
  const mask = constant(
    Array.from({ length: height * width }, (_, pixel) => (isChangedPixel(pixel) ? 0 : 1)),
    [height, width, 1],
  );
  return {
    changed,
    inputChannels: channels,
    unchangedImage: (rows) => toImages(rows, image).mul(mask),
    changedFeatures: (rows) => rows.gather(1, changed),
    replaced: (rows, values) => concat([rows.gather(1, unchanged), values], 1).gather(1, positions),
  };
}

const featuresWhere = (image: ImageShape, condition: (feature: number) => boolean): number[] =>
  Array.from({ length: imageSize(image) }, (_, feature) => feature).filter(condition);
