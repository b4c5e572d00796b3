import { stat } from "node:fs/promises";
import { constants, gunzipSync } from "node:zlib";
import {
  abortSignal,
  anyValue,
  brief,
  checkOptions,
  listOfTexts,
  PushforwardError,
  parse,
  trueOrFalse,
} from "../check/index.ts";
import { isGzip, readError, readRange } from "../files/index.ts";
import {
  type ImageSet,
  imagesOfArrays,
  isIdx,
  isNpy,
  isOtherPictureName,
  isPicture,
  isPictureName,
  type NumberArray,
  type OpenImagesOptions,
  openIdx,
  openNpy,
  openNpz,
  openPictures,
} from "../images/files/index.ts";
import { imageSchema } from "../nn/index.ts";
import {
  expandHome,
  expandPatterns,
  isPattern,
  isQuery,
  isStandardInput,
  formatOf as tableFormatOf,
} from "../tables/io/index.ts";
import { hasPictures, openPixelTable } from "./pixelTable.ts";

type Format = "directory" | "picture" | "idx" | "npy" | "npz" | "table";

/** A path and the format of its content. */
interface Source {
  readonly path: string;
  readonly format: Format;
}

/** The first bytes that `formatOf` reads: of a gzip file, enough to decompress the beginning of its content. */
const HEAD_BYTES = 1024;

/**
 * Opens images for training or scoring:
 *
 * - directories of PNG or JPEG files, and single files; sub-directories are classes
 * - idx files, the format of MNIST, also compressed by gzip; a file of labels may be among them
 * - arrays of NumPy (.npy, .npz) of shape [images, height, width] or [images, height, width, channels], and labels [images]
 * - tables or queries with a column for each pixel and channel, or with a column of encoded images (Parquet)
 *
 * Each of them may be a pattern of files. Several files of arrays are concatenated. Pixels are integers from 0 to 255.
 *
 * @throws FILE for files that cannot be read; DATA for images of different sizes; ARGUMENT for paths of different formats, and for options
 *   that are not valid.
 */
export async function openImages(
  paths: string | readonly string[],
  options: OpenImagesOptions = {},
): Promise<ImageSet> {
  checkOptions("openImages", options, {
    shape: anyValue,
    statedBy: anyValue,
    classes: trueOrFalse,
    signal: abortSignal,
  });
  if (options.shape !== undefined) parse(imageSchema, options.shape, "the option shape of openImages");
  const stated = typeof paths === "string" ? [paths] : paths;
  if (!listOfTexts.accepts(stated)) {
    throw new PushforwardError("ARGUMENT", "the first argument of openImages is not valid", {
      expected: "a path, or a list of paths",
      received: brief(paths),
    });
  }
  if (stated.length === 0)
    throw new PushforwardError("ARGUMENT", "Images cannot be read from an empty list", {
      expected: "a path",
    });
  const list = await filesOf(stated, options.signal);
  const sources: Source[] = [];
  for (const path of list) sources.push({ path, format: await formatOf(path) });
  const source = list.length === 1 ? list[0]! : `${list[0]} and ${list.length - 1} more`;
  const formats = new Set(sources.map(({ format }) => (format === "directory" ? "picture" : format)));
  const arraysOnly = [...formats].every((format) => ["idx", "npy", "npz"].includes(format));
  if (formats.size !== 1 && !arraysOnly) {
    throw new PushforwardError("ARGUMENT", "Images cannot be read from files of different formats", {
      expected: "directories and pictures, or arrays, or tables",
      received: list.slice(0, 8).join(", "),
      hint: "Give files of one format.",
    });
  }
  if (formats.has("picture"))
    return openPictures(
      sources.map(({ path, format }) => ({ path, isDirectory: format === "directory" })),
      source,
      options,
    );
  if (formats.has("table")) return openPixelTable(list, options);
  const arrays: NumberArray[] = [];
  for (const { path, format } of sources) {
    if (format === "npz") arrays.push(...(await openNpz(path)));
    else arrays.push(await (format === "idx" ? openIdx(path) : openNpy(path)));
  }
  return imagesOfArrays(arrays, source, options);
}

/**
 * Whether a path has images: it is a directory, a picture, a file of arrays, or, with `pictureColumns`, a Parquet file or a query with a
 * column of pictures.
 *
 * @throws FILE if there is no such file, or it cannot be read.
 */
export async function isImagePath(
  path: string,
  { pictureColumns }: { readonly pictureColumns: boolean },
): Promise<boolean> {
  const [first] = (await filesOf([path], undefined)) as [string];
  if ((await formatOf(first)) !== "table") return true;
  return pictureColumns && (isQuery(first) || tableFormatOf(first)?.name === "parquet") && hasPictures(first);
}

/** The paths, with each pattern replaced by the files that match it, which needs DuckDB. */
async function filesOf(paths: readonly string[], signal: AbortSignal | undefined): Promise<string[]> {
  const hasPatterns = paths.some((path) => !isQuery(path) && isPattern(path));
  return hasPatterns ? expandPatterns(paths, signal) : paths.map(expandHome);
}

async function formatOf(path: string): Promise<Format> {
  if (isQuery(path) || isStandardInput(path)) return "table";
  const stats = await stat(path).catch(async (error: unknown) => {
    throw await readError(error, path);
  });
  if (stats.isDirectory()) return "directory";
  if (isPictureName(path) || isOtherPictureName(path)) return "picture";
  if (/\.npz$/i.test(path)) return "npz";
  if (/\.npy$/i.test(path)) return "npy";
  if (!stats.isFile()) return "table";
  const bytes = await readRange(path, HEAD_BYTES);
  if (isPicture(bytes)) return "picture";
  if (isNpy(bytes)) return "npy";
  return isIdx(gunzippedHead(bytes)) ? "idx" : "table";
}

/** The first bytes of the content of a file, which are decompressed if it is a gzip file. */
function gunzippedHead(bytes: Buffer): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    // Accepts bytes that end before the content does.
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return bytes;
  }
}
