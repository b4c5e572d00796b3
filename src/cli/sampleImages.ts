import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { count, counted, PushforwardError } from "../check/index.ts";
import { checkWritable, makeDirectory, writeFileAtomically } from "../files/index.ts";
import { checkPictureShape, encodePng, grayLevels, imageGrid } from "../images/files/index.ts";
import { ImageModel } from "../images/model/index.ts";
import { formatOf } from "../tables/io/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { classDirectories } from "./classDirectories.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { classIndex, refuseOptions } from "./imageModels.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import type { ReadOptions } from "./options.ts";

interface SampleValues extends ReadOptions, EngineValues {
  readonly output: string;
  readonly rows: number | undefined;
  readonly seed: number;
  readonly temperature: number;
  readonly class: string | undefined;
  readonly given: string | undefined;
}

const DEFAULT_COUNT = 64;
/** The endings of formats of pictures and of arrays that are not written. */
const OTHER_FORMATS = /\.(jpe?g|webp|gif|bmp|tiff?|np[yz])$/i;
/** The largest number of images in one picture. */
const MAX_GRID_IMAGES = 10_000;
/** The number of images that are drawn in one call; after each call the progress is shown. */
const IMAGES_PER_CALL = 64;

/**
 * Draws images: as one picture if the output ends in .png, otherwise as a directory of pictures, with a sub-directory for each class.
 * Without --class, a conditional model draws all classes, one after the other.
 */
export async function sampleImages(loaded: LoadedModel, values: SampleValues, io: Io): Promise<void> {
  const { output, rows: total = DEFAULT_COUNT, seed, temperature, given, na, decimal, delimiter } = values;
  const engine = engineOf(values);
  refuseOptions({ given, na, decimal: decimal === ",", delimiter }, "tables");
  const model = ImageModel.from(loaded);
  const isGrid = output.toLowerCase().endsWith(".png");
  checkPictureShape(model.shape);
  const onlyClass = values.class === undefined ? undefined : classIndex(model, values.class);
  await checkOutput(output, isGrid ? total : undefined);
  const { classes: names, features } = model;
  const classes =
    names.length > 0 &&
    Int32Array.from({ length: total }, (_, i) => onlyClass ?? Math.floor((i * names.length) / total));
  const directories = classDirectories(names);
  const messages = new Messages(io);
  const gridPixels = new Uint8Array(isGrid ? total * features : 0);
  try {
    for (let start = 0; start < total; start += IMAGES_PER_CALL) {
      if (io.interrupted.aborted)
        throw new PushforwardError("INTERRUPTED", "Stopped while drawing images", {
          hint: isGrid ? "Run the command again." : "Remove the images, and run the command again.",
        });
      const n = Math.min(IMAGES_PER_CALL, total - start);
      const drawn = await model.sample(n, {
        seed,
        start,
        temperature,
        ...(classes && { classes: classes.subarray(start, start + n) }),
        ...engine,
      });
      const pixels = grayLevels(drawn, model.values);
      if (isGrid) gridPixels.set(pixels, start * features);
      else {
        for (let i = 0; i < n; i++) {
          const directory = classes ? join(output, directories[classes[start + i]!]!) : output;
          const name = `${String(start + i + 1).padStart(Math.max(5, String(total).length), "0")}.png`;
          const image = pixels.subarray(i * features, (i + 1) * features);
          await makeDirectory(directory);
          await writeFileAtomically(
            join(directory, name),
            await encodePng({ shape: model.shape, pixels: image }),
          );
        }
        io.onStopMessage?.({
          what: `Stopped; the images that were drawn are in ${output}`,
          hint: "Remove the images, and run the command again.",
        });
      }
      messages.progress((start + n) / total, "", ` ${count(start + n)} of ${counted(total, "image")}`);
    }
    if (isGrid) {
      // Each class has a line of the picture if the classes have equally many images.
      const columns =
        onlyClass === undefined && classes && total % names.length === 0 ? total / names.length : undefined;
      const grid = imageGrid(gridPixels, model.shape, columns === undefined ? {} : { columns });
      await writeFileAtomically(output, await encodePng(grid));
    }
    messages.clearProgress();
    messages.print(`Wrote ${counted(total, "image")} to ${output}`);
  } finally {
    messages.clearProgress();
    await model.release();
  }
}

/**
 * Checks that pictures can be written to `output`, before they are drawn; `gridImages` is the number of images in one picture. Throws
 * `ARGUMENT` or `FILE` if not.
 */
async function checkOutput(output: string, gridImages: number | undefined): Promise<void> {
  const isTable = formatOf(output) !== undefined;
  if (output === "-" || isTable || OTHER_FORMATS.test(output)) {
    const place = output === "-" ? "standard output" : isTable ? "a table" : output;
    throw new PushforwardError("ARGUMENT", `Images cannot be written to ${place}`, {
      expected: "a picture that ends in .png, or a directory",
      hint: "For example: -o samples.png, or -o samples/ for a file for each image",
    });
  }
  if (gridImages === undefined) {
    await makeDirectory(output);
    return checkNoPictures(output);
  }
  if (gridImages > MAX_GRID_IMAGES) {
    throw new PushforwardError("ARGUMENT", "One picture of all images would be too large", {
      expected: `at most ${count(MAX_GRID_IMAGES)} images`,
      received: count(gridImages),
      hint: "Give a directory for a file for each image: -o samples/",
    });
  }
  await checkWritable(output);
}

/** Throws `FILE` if a directory has pictures of an earlier run, which a reader of the directory would take for images of this one. */
async function checkNoPictures(directory: string): Promise<void> {
  const names = await readdir(directory, { recursive: true });
  const earlier = names.filter((name) => /(^|[/\\])\d{5,}\.png$/.test(name)).sort();
  if (earlier.length === 0) return;
  throw new PushforwardError("FILE", `${directory} already has images, perhaps of an earlier run`, {
    received: `${counted(earlier.length, "picture")}, such as ${join(directory, earlier[0]!)}`,
    hint: "Give a new directory, or remove them.",
  });
}
