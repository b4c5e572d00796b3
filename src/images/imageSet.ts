import type { ImageShape } from "../nn/image.ts";

/** The class of each image. */
export interface ImageClasses {
  /** The names of the classes 0, 1, 2... */
  readonly names: readonly string[];
  /** `[count]`: the class of each image. */
  readonly indices: Int32Array;
}

/** Images of one size with pixels from 0 to 255, which are read from disk by each call of `blocks`. */
export interface ImageSet {
  /** The name of the set in messages, such as the path of its file. */
  readonly source: string;
  /** [height, width, channels]. */
  readonly shape: ImageShape;
  readonly count: number;
  /** The path of each image, if each is a file of its own. */
  readonly files?: readonly string[];
  /** Undefined if the images have no labels. */
  readonly classes?: ImageClasses;
  /** Reads all images in their order, in blocks of n images: each block has the numbers of [n, height, width, channels]. */
  blocks(): AsyncGenerator<Uint8Array>;
  /** Closes the table of the images, if they are in one. `blocks` must not be called afterwards. */
  close(): Promise<void>;
}

/** Options of `openImages`. */
export interface OpenImagesOptions {
  /**
   * [height, width, channels]. Tables of pixels and arrays [images, pixels] need it, because they do not have the shape of an image. Images
   * of another shape are an error.
   */
  readonly shape?: ImageShape | undefined;
  /** Where `shape` comes from, for error messages, such as "the model". Default "--image". */
  readonly statedBy?: string;
  /** Ends the reading with an error of the code INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
}

/** "28 x 28 x 1". */
export const shapeText = (shape: readonly number[]): string => shape.join(" x ");

/** The number of images of `size` numbers in a block: one, or more if they take at most 4 MB. */
export const imagesPerBlock = (size: number): number => Math.max(1, Math.floor(2 ** 22 / size));

/** Where images may have their labels, for error messages. */
export const LABEL_SOURCES = "sub-directories, a file or an array of labels, or a column label";

/** Classes from the label of each image, sorted as numbers if all labels are whole numbers, otherwise as text. */
export function classesOf(labels: readonly string[]): ImageClasses {
  const names = [...new Set(labels)];
  const areNumbers = names.every((name) => /^-?\d+$/.test(name));
  names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : undefined);
  const indexOf = new Map(names.map((name, i) => [name, i]));
  return { names, indices: Int32Array.from(labels, (label) => indexOf.get(label)!) };
}
