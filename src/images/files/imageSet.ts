import { dirname, relative } from "node:path";
import { counted, PushforwardError } from "../../check/index.ts";
import type { ImageShape } from "../../nn/index.ts";

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
  /** True for PNG and JPEG: black is 0 and white is 255 even if pixels have fewer than 256 levels. */
  readonly isFullRange?: boolean;
  /** The path of each image, if each is a file of its own. */
  readonly files?: readonly string[];
  /** Image files in other formats, which are not read. */
  readonly skippedFiles?: readonly string[];
  /** Undefined if the images have no labels, or if the labels are not read. */
  readonly classes?: ImageClasses;
  /** The name of an image in messages: its path, "Row 1 of pixels.csv", or "Image 0 of images.npy". */
  nameOf(image: number): string;
  /** Reads all images in their order, in blocks of n images: each block has the numbers of [n, height, width, channels]. */
  blocks(): AsyncGenerator<Uint8Array>;
  /** Closes the table of the images, if they are in one. `blocks` must not be called afterwards. */
  close(): Promise<void>;
}

/** Options of `openImages`. */
export interface OpenImagesOptions {
  /**
   * [height, width, channels]. Tables of pixels and arrays [images, pixels] need it, because they do not have the shape of an image. Images
   * of another shape are an error. Default: that of the images.
   */
  readonly shape?: ImageShape | undefined;
  /**
   * Where `shape` comes from, for errors. Default: this option.
   *
   * @internal
   */
  readonly statedBy?: ShapeSource | undefined;
  /** Whether the labels are read. If not, missing labels are no error. Default true. */
  readonly classes?: boolean | undefined;
  /** Ends the reading with an error of the code INTERRUPTED. Default none. */
  readonly signal?: AbortSignal | undefined;
}

/** "28 x 28 x 1". */
export const shapeText = (shape: readonly number[]): string => shape.join(" x ");

/** How many images of `size` numbers a block has: as many as fit into 4 MB (a pixel is one byte), but at least one. */
export const imagesPerBlock = (size: number): number => Math.max(1, Math.floor(2 ** 22 / size));

/** How errors call what states the shape of images, with an example if the user can change it. */
interface ShapeSource {
  readonly name: string;
  readonly example?: string;
}

/** The option of this name in a program. */
export const OPTION_SHAPE: ShapeSource = { name: "the option shape", example: "shape: [28, 28, 1]" };

/**
 * The error for images without classes, which says where images of this kind have their labels. `alternative` ends the hint, such as
 * ", or learn without classes".
 */
export function noClassesError(
  what: string,
  { files }: Pick<ImageSet, "files">,
  alternative = "",
): PushforwardError {
  if (!files) {
    return new PushforwardError("DATA", what, {
      expected: "a file or an array of labels, or a column named label or class",
      hint: `Give the labels too${alternative}.`,
    });
  }
  // A file beside the sub-directories: its directory contains those of other files.
  const top = files.reduce((a, b) => (dirname(b).length < dirname(a).length ? b : a));
  const isBeside = files.some((file) => /^(?!\.\.)./.test(relative(dirname(top), dirname(file))));
  return new PushforwardError("DATA", what, {
    expected: "one directory with a sub-directory for each class",
    ...(isBeside && { received: `${top}, which is in no sub-directory` }),
    hint: `${classHint(files, isBeside)}${alternative}.`,
  });
}

/** What to do so that each file has a class. `isBeside` says whether a file is beside the sub-directories of other files. */
function classHint(files: readonly string[], isBeside: boolean): string {
  const directories = new Set(files.map((file) => dirname(file)));
  const parents = new Set([...directories].map((directory) => dirname(directory)));
  // The files were given by a pattern or by several directories, as in digits/*/*.png.
  if (!isBeside && directories.size > 1 && parents.size === 1)
    return `Give the directory that contains the sub-directories, ${[...parents][0]}`;
  return "Move each image into the sub-directory of its class";
}

/** A warning about the image files in other formats; undefined if there are none. */
export function skippedFilesText({ skippedFiles = [] }: Pick<ImageSet, "skippedFiles">): string | undefined {
  const { length } = skippedFiles;
  if (length === 0) return undefined;
  const list = skippedFiles.slice(0, 3).join(", ");
  return `${counted(length, "picture")} in ${length === 1 ? "another format was" : "other formats were"} not read: ${list}${length > 3 ? " ..." : ""}`;
}

/** Compares the numbers in two labels as numbers, so that p_2 comes before p_10. */
const byNumbersInText = new Intl.Collator("en", { numeric: true }).compare;

/** Classes from the label of each image, sorted as numbers if all labels are integers, otherwise as text with numbers. */
export function classesOf(labels: readonly string[]): ImageClasses {
  const names = [...new Set(labels)];
  const areNumbers = names.every((name) => /^-?\d+$/.test(name));
  names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : byNumbersInText);
  const indexOf = new Map(names.map((name, i) => [name, i]));
  return { names, indices: Int32Array.from(labels, (label) => indexOf.get(label)!) };
}
