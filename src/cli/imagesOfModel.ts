import { count, counted, PushforwardError } from "../check/index.ts";
import { type ImageSet, imageBlocks, skippedFilesText } from "../images/files/index.ts";
import { ImageModel } from "../images/model/index.ts";
import { openImages } from "../open/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { refuseOptions } from "./imageModels.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import type { ReadOptions } from "./options.ts";

/** Options of `withImages`, which are values of the commands that compute the probability of images. */
export interface ImageScoringOptions extends ReadOptions {
  readonly data: readonly string[];
  readonly draws: number;
  readonly strict: boolean;
}

/** The number of images in a block: few enough that the progress is shown often, and enough to use all threads. */
const IMAGES_PER_BLOCK = 128;

/** Images that a model scores in one call. */
interface ImageBlock {
  /** The index of the first image. */
  readonly start: number;
  readonly end: number;
  /** `[end - start, features]` */
  readonly pixels: Float64Array;
}

/** A model of images, and the images of a command. */
export interface ImageScoring {
  readonly model: ImageModel;
  readonly images: ImageSet;
  /** The images in their order; shows the progress. */
  readonly blocks: AsyncGenerator<ImageBlock>;
}

/** Opens the images of a command that scores them, and lets `use` iterate over them. */
export async function withImages<T>(
  loaded: LoadedModel,
  { data, draws, na, decimal, delimiter, strict }: ImageScoringOptions,
  io: Io,
  use: (opened: ImageScoring) => Promise<T>,
): Promise<T> {
  refuseOptions({ na, decimal: decimal === ",", delimiter, strict }, "tables");
  const model = ImageModel.from(loaded).withDraws(draws);
  const images = await openImages(data, {
    shape: model.shape,
    statedBy: { name: "the model" },
    classes: model.classes.length > 0,
    signal: io.interrupted,
  });
  const messages = new Messages(io);
  async function* blocks(): AsyncGenerator<ImageBlock> {
    let start = 0;
    for await (const { rows, features, values } of imageBlocks(images, { values: model.values })) {
      for (let first = 0; first < rows; first += IMAGES_PER_BLOCK) {
        const n = Math.min(IMAGES_PER_BLOCK, rows - first);
        const end = start + n;
        yield { start, end, pixels: values.subarray(first * features, (first + n) * features) };
        messages.progress(end / images.count, "", ` ${count(end)} of ${counted(images.count, "image")}`);
        start = end;
      }
    }
  }
  try {
    if (images.count === 0) {
      throw new PushforwardError("DATA", `${images.source} has no images`, {
        hint: "Give a file or a query with images.",
      });
    }
    const unread = skippedFilesText(images);
    if (unread) messages.warn(unread);
    return await use({ model, images, blocks: blocks() });
  } finally {
    messages.clearProgress();
    await images.close();
    await model.release();
  }
}
