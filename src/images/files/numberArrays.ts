import { PushforwardError } from "../../check/index.ts";
import { interruptedError } from "../../files/index.ts";
import { type ImageShape, imageSize } from "../../nn/index.ts";
import { ByteReader, type FileRange } from "./byteReader.ts";
import {
  classesOf,
  type ImageSet,
  imagesPerBlock,
  OPTION_SHAPE,
  type OpenImagesOptions,
  shapeText,
} from "./imageSet.ts";
import { type PixelSource, pixelsOf } from "./pixels.ts";

/** An array of numbers in a file, such as an idx file or an array of NumPy. */
export interface NumberArray {
  /** The name in messages. */
  readonly name: string;
  readonly path: string;
  /** The part of the file that has the array. Undefined for the whole file. */
  readonly range?: FileRange | undefined;
  /** The number of bytes before the first number. */
  readonly headerBytes: number;
  readonly shape: readonly number[];
  readonly bytesPerNumber: number;
  /** Reads the bytes of a number. Undefined for unsigned bytes, which need no conversion. */
  readonly convert?: ((bytes: Buffer, offset: number) => number) | undefined;
}

/** Whether an array has one number for each image of other arrays, with the shape [images] or [images, 1]. */
const areLabels = ({ shape }: NumberArray): boolean =>
  shape.length === 1 || (shape.length === 2 && shape[1] === 1);

/**
 * Reads arrays as images and labels: arrays of shape [images] or [images, 1] have labels, and the others images, which are concatenated.
 *
 * @throws DATA if no array has images, if images have different shapes or not the stated one, or if the number of labels is not the
 *   number of images.
 */
export async function imagesOfArrays(
  arrays: readonly NumberArray[],
  source: string,
  options: OpenImagesOptions,
): Promise<ImageSet> {
  const images = arrays.filter((array) => !areLabels(array));
  const labels = arrays.filter(areLabels);
  if (images.length === 0) {
    throw new PushforwardError("DATA", `${source} has no images`, {
      expected: "an array of shape [images, height, width] or [images, height, width, channels]",
      received:
        arrays.map(({ name, shape }) => `${name} of shape [${shape.join(", ")}]`).join(", ") || "no array",
      hint: "Give the file of the images, too.",
    });
  }
  const oneHot = images.find(({ shape }) => shape.length === 2);
  if (oneHot && images.some(({ shape }) => shape.length > 2)) {
    throw new PushforwardError("DATA", `${oneHot.name} has neither images nor one label for each image`, {
      expected: "labels of shape [images]",
      received: `[${oneHot.shape.join(", ")}]`,
      hint: "If it has one column for each class, save y.argmax(1) instead.",
    });
  }
  const shape = imageShapeOf(images[0]!, options);
  for (const array of images.slice(1)) {
    const other = imageShapeOf(array, options);
    if (other.join() === shape.join()) continue;
    throw new PushforwardError(
      "DATA",
      `${array.name} has images of a different size from ${images[0]!.name}`,
      {
        expected: shapeText(shape),
        received: shapeText(other),
        hint: "Give images of one size.",
      },
    );
  }
  const count = images.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const size = imageSize(shape);
  const nameOf = (image: number): string => {
    let index = image;
    for (const { name, shape } of images) {
      if (index < shape[0]!) return `Image ${index} of ${name}`;
      index -= shape[0]!;
    }
    return `Image ${image} of ${source}`;
  };
  const pixelSource: PixelSource = {
    nameOf,
    withoutMissing: () => "Replace the value, or leave the image out.",
    rounded: (formula) => `np.round(${formula("x")}).astype(np.uint8)`,
  };
  async function* blocks() {
    let first = 0;
    for (const array of images) {
      for await (const numbers of numberBlocks(array, size)) {
        if (options.signal?.aborted) throw interruptedError(source);
        yield pixelsOf(numbers, pixelSource, first, size);
        first += numbers.length / size;
      }
    }
  }
  return {
    source,
    shape,
    count,
    nameOf,
    ...(labels.length > 0 &&
      options.classes !== false && { classes: classesOf(await readLabels(labels, count, source)) }),
    blocks,
    close: async () => {},
  };
}

/** The numbers of an array in blocks of whole images of `size` numbers. */
async function* numberBlocks(
  { path, range, headerBytes, shape, bytesPerNumber, convert }: NumberArray,
  size: number,
): AsyncGenerator<Uint8Array | Float64Array> {
  const reader = await ByteReader.open(path, range);
  const perBlock = imagesPerBlock(size);
  try {
    await reader.read(headerBytes);
    for (let start = 0; start < shape[0]!; start += perBlock) {
      const length = Math.min(perBlock, shape[0]! - start) * size;
      const bytes = await reader.read(length * bytesPerNumber);
      yield convert ? Float64Array.from({ length }, (_, i) => convert(bytes, i * bytesPerNumber)) : bytes;
    }
    await reader.expectEnd();
  } finally {
    reader.close();
  }
}

function imageShapeOf(
  { name, shape }: NumberArray,
  { shape: expected, statedBy = OPTION_SHAPE }: OpenImagesOptions,
): ImageShape {
  const [, ...axes] = shape;
  const fail = (hint: string) => {
    throw new PushforwardError("DATA", `${name} has a wrong shape for images`, {
      expected: expected
        ? `[images, ${expected.join(", ")}]`
        : "[images, height, width] or [images, height, width, channels]",
      received: `[${shape.join(", ")}]`,
      hint,
    });
  };
  const otherShape =
    statedBy.example === undefined
      ? `Give images of the size of ${statedBy.name}.`
      : `Correct ${statedBy.name}, or leave it out if the array has the shape of the images.`;
  if (axes.length === 1) {
    const single = "If it is one image, save it as one of a list: x[None]";
    if (!expected) return fail(`State height, width and channels: ${statedBy.example}. ${single}`);
    if (imageSize(expected) === axes[0]) return expected;
    return fail(shape.join() === expected.slice(0, 2).join() ? single : otherShape);
  }
  if (axes.length === 0 || axes.length > 3) return fail("Save one array with three or four axes.");
  const [height, width, channels = 1] = axes as [number, number, number?];
  const shapeOfImages: ImageShape = [height, width, channels];
  if (expected?.join() === shapeOfImages.join()) return shapeOfImages;
  if (axes.length === 3 && channels > 4 && height <= 4)
    return fail("Put the channels last: x.transpose(0, 2, 3, 1)");
  if (axes.some((size) => size === 0)) return fail("Give images with pixels.");
  return expected ? fail(otherShape) : shapeOfImages;
}

async function readLabels(arrays: readonly NumberArray[], count: number, source: string): Promise<string[]> {
  const labels: string[] = [];
  for (const array of arrays) {
    for await (const block of numberBlocks(array, 1)) {
      for (const label of block) {
        if (!Number.isFinite(label)) throw invalidLabel(array, label, labels.length);
        labels.push(String(label));
      }
    }
  }
  if (labels.length === count) return labels;
  throw new PushforwardError("DATA", `The number of labels of ${source} differs from the number of images`, {
    expected: `${count} labels`,
    received: `${labels.length}`,
    hint: "Give the labels of these images, in the same order.",
  });
}

const invalidLabel = ({ name }: NumberArray, label: number, image: number): PushforwardError =>
  new PushforwardError("DATA", `${name} has the label ${label} for image ${image}`, {
    expected: "a number",
    hint: "Leave such images out of both arrays.",
  });
