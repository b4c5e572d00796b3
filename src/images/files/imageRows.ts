import {
  checkOptions,
  integerFrom,
  numberFrom,
  PushforwardError,
  parse,
  seedValue,
  trueOrFalse,
} from "../../check/index.ts";
import { concatDatasets, emptyLike, InMemoryDataset, StreamedDataset } from "../../dataset/index.ts";
import { type ImageShape, imageSchema, imageSize } from "../../nn/index.ts";
import { grayLevels } from "./grid.ts";
import { type ImageSet, noClassesError, shapeText } from "./imageSet.ts";

/** Images as rows: a dataset in memory, or a stream that reads them from disk in each epoch. */
export type ImageRows = InMemoryDataset | StreamedDataset;

/** Options of `imageRows`. */
export interface ImageRowsOptions {
  /** Whether the context of each image is the index of its class. Default false. */
  readonly classes?: boolean | undefined;
  /** The number of values of a pixel. Default 256. */
  readonly values?: number | undefined;
  /** Sets of more numbers are read from disk in each epoch. Default 2^24, which take 16 MB. */
  readonly maxNumbersInMemory?: number | undefined;
  /** Seed of the random sample of a set that is not in memory. Default 0. */
  readonly seed?: number | undefined;
}

const MAX_NUMBERS_IN_MEMORY = 2 ** 24;

/**
 * Images as rows [count, height * width * channels], to train a flow on: in memory, or as a stream from disk.
 *
 * @throws DATA for a pixel that is not below `values`, for fewer than two images, and for missing classes.
 */
export async function imageRows(images: ImageSet, options: ImageRowsOptions = {}): Promise<ImageRows> {
  checkOptions("imageRows", options, {
    classes: trueOrFalse,
    values: integerFrom(2),
    maxNumbersInMemory: numberFrom(0),
    seed: seedValue,
  });
  const { seed = 0, maxNumbersInMemory = MAX_NUMBERS_IN_MEMORY } = options;
  if (images.count < 2) {
    throw new PushforwardError(
      "DATA",
      `${images.source} has ${images.count === 0 ? "no images" : "only one image"}`,
      {
        expected: "at least two images, one to train on and one for validation",
        hint: "Give more images.",
      },
    );
  }
  if (images.count * imageSize(images.shape) > maxNumbersInMemory)
    return StreamedDataset.of(() => imageBlocks(images, options), { seed });
  const blocks: InMemoryDataset[] = [];
  for await (const block of imageBlocks(images, options)) blocks.push(block);
  return concatDatasets(blocks);
}

/**
 * The images in blocks of rows. The row numbers are the indices of the images in the set. If pixels have fewer values than 256, those of
 * pictures are gray levels from 0 to 255 at equal distances (`grayLevels`).
 *
 * @throws DATA for a pixel that is not below `values`, and for missing classes.
 */
export async function* imageBlocks(
  images: ImageSet,
  { classes = false, values = 256 }: ImageRowsOptions = {},
): AsyncGenerator<InMemoryDataset> {
  const features = imageSize(images.shape);
  const indices = classes ? classIndices(images) : undefined;
  const levelValues = images.isFullRange && values < 256 ? valuesOfGrayLevels(values) : undefined;
  let first = 0;
  for await (const pixels of images.blocks()) {
    const bad = pixels.findIndex(
      levelValues ? (level) => !levelValues.has(level) : (value) => value >= values,
    );
    if (bad >= 0) throw notPossible(images, first + Math.floor(bad / features), pixels[bad]!, values);
    if (levelValues) for (const [i, level] of pixels.entries()) pixels[i] = levelValues.get(level)!;
    const rows = pixels.length / features;
    const start = first;
    yield new InMemoryDataset({
      features,
      // Some sources give a Buffer, whose methods differ.
      values: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length),
      rowNumbers: Int32Array.from({ length: rows }, (_, i) => start + i),
      ...(indices && {
        context: Float64Array.from(indices.subarray(start, start + rows)),
        contextColumns: ["class"],
      }),
    });
    first += rows;
  }
}

function classIndices(images: ImageSet): Int32Array {
  const { classes, source } = images;
  if (classes && classes.names.length > 1) return classes.indices;
  const what = `The images of ${source} have ${classes ? "only one class" : "no classes"}`;
  throw noClassesError(what, images, ", or learn without classes");
}

/** The value of each gray level of a picture whose pixels have this many values. */
function valuesOfGrayLevels(values: number): Map<number, number> {
  const all = Array.from({ length: values }, (_, value) => value);
  return new Map(Array.from(grayLevels(all, values), (level, value) => [level, value]));
}

function notPossible(images: ImageSet, image: number, value: number, values: number): PushforwardError {
  const [first, second, third] = grayLevels([0, 1, 2], values);
  const list =
    values > 3
      ? `${first}, ${second}, ${third} ... 255`
      : `${[...valuesOfGrayLevels(values).keys()].join(", ")}`;
  const isOfLevels = images.isFullRange && values < 256;
  return new PushforwardError("DATA", `${images.nameOf(image)} has the pixel value ${value}`, {
    expected: isOfLevels ? `the ${values} gray levels ${list}` : `integers from 0 to ${values - 1}`,
    hint: "Fit the model with 256 values of a pixel, the default (--values 256, or the option values).",
  });
}

/**
 * Adds to images of the shape [height, width, channels] their reflections from left to right; in a stream, after each block. `seed` is
 * that of `ImageRowsOptions`.
 *
 * @throws SHAPE if the rows do not have the pixels of this shape, ARGUMENT if the shape or the options are not valid.
 */
export async function withReflections(
  rows: ImageRows,
  shape: ImageShape,
  options: Pick<ImageRowsOptions, "seed"> = {},
): Promise<ImageRows> {
  checkOptions("withReflections", options, { seed: seedValue });
  parse(imageSchema, shape, "the shape of withReflections");
  if (rows.features !== imageSize(shape)) {
    throw new PushforwardError("SHAPE", "the rows of withReflections are not images of its shape", {
      expected: `${imageSize(shape)} numbers per row for ${shapeText(shape)}`,
      received: `${rows.features}`,
      hint: "Give the shape of the image set.",
    });
  }
  const doubled = (block: InMemoryDataset) => concatDatasets([block, reflected(block, shape)]);
  if (rows instanceof InMemoryDataset) return doubled(rows);
  return StreamedDataset.of(async function* blocks() {
    for await (const block of rows.blocks()) yield doubled(block);
  }, options);
}

/** The reflections of images from left to right. */
function reflected(rows: InMemoryDataset, [, width, channels]: ImageShape): InMemoryDataset {
  const pixels = rows.storedValues;
  const values = emptyLike(pixels, pixels.length);
  const rowWidth = width * channels;
  for (let start = 0; start < pixels.length; start += rowWidth) {
    for (let x = 0; x < width; x++) {
      const from = start + x * channels;
      values.set(pixels.subarray(from, from + channels), start + (width - 1 - x) * channels);
    }
  }
  return rows.with({ values });
}
