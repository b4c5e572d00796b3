import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, extname, join, relative, sep } from "node:path";
import { PushforwardError, shellQuoted } from "../../check/index.ts";
import { interruptedError, readError } from "../../files/index.ts";
import { imageSize } from "../../nn/index.ts";
import {
  classesOf,
  type ImageSet,
  imagesPerBlock,
  OPTION_SHAPE,
  type OpenImagesOptions,
} from "./imageSet.ts";
import { decodePicture, otherShape, type Picture } from "./pictureFile.ts";

/** Whether a path has the extension of PNG or JPEG. */
export const isPictureName = (path: string): boolean => /\.(png|jpe?g)$/i.test(path);

/** Whether a path has the extension of a picture in another format, which must be converted. */
export const isOtherPictureName = (path: string): boolean => /\.(gif|webp|bmp|tiff?|avif|heic)$/i.test(path);

/** The path of a picture, and the directory among the sources in which it was found. */
interface FoundPicture {
  readonly path: string;
  readonly root: string;
}

/**
 * Opens single pictures, and all pictures of directories and their sub-directories, in the order of their paths. If all pictures are in
 * sub-directories, the class of a picture is the first sub-directory on its path.
 *
 * @throws FILE if a directory or the first picture cannot be read, or a directory has no pictures; DATA for a different shape from the
 *   stated one.
 */
export async function openPictures(
  sources: readonly { readonly path: string; readonly isDirectory: boolean }[],
  source: string,
  options: OpenImagesOptions,
): Promise<ImageSet> {
  const found: FoundPicture[] = [];
  const skippedFiles: string[] = [];
  for (const { path, isDirectory } of sources) {
    if (!isDirectory) {
      found.push({ path, root: dirname(path) });
      continue;
    }
    const { pictures, others } = await picturesIn(path);
    // Not `push(...)`, whose arguments have to fit on the stack: there may be more than 100,000 pictures.
    for (const picture of pictures) found.push({ path: picture, root: path });
    for (const other of others) skippedFiles.push(other);
  }
  const files = found.map(({ path }) => path);
  const { shape } = await readPicture(files[0]!);
  if (options.shape && options.shape.join() !== shape.join())
    throw otherShape(files[0]!, shape, options.shape, (options.statedBy ?? OPTION_SHAPE).name);
  const size = imageSize(shape);
  const perBlock = imagesPerBlock(size);
  async function* blocks() {
    for (let start = 0; start < files.length; start += perBlock) {
      const paths = files.slice(start, start + perBlock);
      const block = new Uint8Array(paths.length * size);
      for (const [i, path] of paths.entries()) {
        if (options.signal?.aborted) throw interruptedError(source);
        const picture = await readPicture(path);
        if (picture.shape.join() !== shape.join()) throw otherShape(path, picture.shape, shape, files[0]!);
        block.set(picture.pixels, i * size);
      }
      yield block;
    }
  }
  const labels = found.map(({ path, root }) => relative(root, path).split(sep));
  const hasClasses = options.classes !== false && labels.every(({ length }) => length > 1);
  return {
    source,
    shape,
    count: files.length,
    isFullRange: true,
    skippedFiles,
    files,
    nameOf: (image) => files[image]!,
    ...(hasClasses && { classes: classesOf(labels.map(([first]) => first!)) }),
    blocks,
    close: async () => {},
  };
}

/** The pictures of a directory, and those in other formats. Throws `FILE` if it has none that can be read. */
async function picturesIn(root: string): Promise<{ pictures: string[]; others: string[] }> {
  const files = (await filesIn(root)).sort();
  const pictures = files.filter(isPictureName);
  const others = files.filter(isOtherPictureName);
  if (pictures.length > 0) return { pictures, others };
  const [other] = others;
  throw new PushforwardError("FILE", `${root} has no pictures`, {
    expected: "files that end in .png, .jpg or .jpeg, also in sub-directories",
    received: files.length === 0 ? "no files" : other ? `files such as ${other}` : "other files only",
    hint: other
      ? `Convert copies of them, for example by ImageMagick: mkdir converted && magick mogrify -path converted -format png ${shellQuoted(dirname(other))}/*${extname(other)}`
      : "Give the directory of the pictures.",
  });
}

/**
 * The files of a directory and its sub-directories that are not hidden. Links to directories are followed, except a link to one of the
 * `parents`, the real paths of the directories that contain it, which would not end.
 */
async function filesIn(directory: string, parents: readonly string[] = []): Promise<string[]> {
  try {
    const real = await realpath(directory);
    if (parents.includes(real)) return [];
    const files: (string | string[])[] = [];
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(directory, entry.name);
      // A link to nothing stays in the list, and reading it says so.
      const target = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry;
      if (target.isDirectory()) files.push(await filesIn(path, [...parents, real]));
      else files.push(path);
    }
    return files.flat();
  } catch (error) {
    throw error instanceof PushforwardError ? error : await readError(error, directory);
  }
}

/** Reads a PNG or JPEG file. Throws `FILE` if it cannot be read; see `decodePicture`. */
async function readPicture(path: string): Promise<Picture> {
  const bytes = await readFile(path).catch(async (error: unknown) => {
    throw await readError(error, path);
  });
  return decodePicture(bytes, path);
}
