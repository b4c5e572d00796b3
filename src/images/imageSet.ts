import type { ImageShape } from "../nn/image.ts";

/** The class of each image. */
export interface ImageClasses {
  /** The names of the classes 0, 1, 2... */
  readonly names: readonly string[];
  /** [count]: the class of each image. */
  readonly indices: Int32Array;
}

/** Images of one size with pixels from 0 to 255, which are read from disk when they are needed. */
export interface ImageSet {
  /** What messages call the set, such as the path of its file. */
  readonly source: string;
  /** [height, width, channels]. */
  readonly shape: ImageShape;
  readonly count: number;
  /** The path of each image, if each is a file of its own. */
  readonly files?: readonly string[];
  /** Undefined if the images have no labels. */
  readonly classes?: ImageClasses;
  /** Reads all images in their order, in blocks of whole images: each block is [n, height, width, channels], flat. */
  blocks(): AsyncGenerator<Uint8Array>;
  /** Ends all reading. */
  close(): Promise<void>;
}

/** Options of `openImages`. */
export interface OpenImagesOptions {
  /**
   * [height, width, channels]. Tables of pixels and flat arrays need it, because they do not have it; for other images it is
   * checked.
   */
  readonly shape?: ImageShape | undefined;
  /** Where the shape is stated, for messages. Default "--image". */
  readonly statedBy?: string;
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** "28 x 28 x 1". */
export const shapeText = (shape: readonly number[]): string => shape.join(" x ");

/** The number of images in a block of at most 4 MB, and at least one. */
export const imagesPerBlock = (size: number): number => Math.max(1, Math.floor(2 ** 22 / size));

/** Classes from the label of each image. Labels that are whole numbers are in the order of numbers, others in that of text. */
export function classesOf(labels: readonly string[]): ImageClasses {
  const names = [...new Set(labels)];
  const areNumbers = names.every((name) => /^-?\d+$/.test(name));
  names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : undefined);
  const indexOf = new Map(names.map((name, i) => [name, i]));
  return { names, indices: Int32Array.from(labels, (label) => indexOf.get(label)!) };
}
