import { writeRows } from "../data/index.ts";
import { bitsPerDimension } from "../evaluate/bitsPerDimension.ts";
import { count, counted } from "../evaluate/numberText.ts";
import { RunningMean } from "../evaluate/runningMean.ts";
import { ImageModel, type LoadedModel } from "../flows/index.ts";
import { imageBlocks } from "../images/imageRows.ts";
import type { ImageSet } from "../images/index.ts";
import { openImages } from "../images/openImages.ts";
import { jsonLine } from "./format.ts";
import { classesOfModel, refuseOptions } from "./imageModels.ts";
import { bitsEstimate } from "./imageReport.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import type { Notation } from "./options.ts";
import { reportWritten, tableOutput } from "./tableOutput.ts";

/** Values of the commands that compute the probability of images. */
interface ScoreValues extends Notation {
  readonly data: readonly string[];
  readonly draws: number;
  readonly threads: number | undefined;
  readonly strict: boolean;
}

/** The number of images in a call: few enough that the progress is shown often, and enough to use all threads. */
const IMAGES_PER_CALL = 128;

/** Images with their log-probabilities under a model. */
interface Scored {
  readonly model: ImageModel;
  readonly images: ImageSet;
  readonly classes: Int32Array | undefined;
  /** Log-probabilities in nats, in blocks. */
  readonly scores: AsyncGenerator<Float64Array>;
  /** The mean of the log-probabilities that `scores` has yielded. */
  readonly mean: RunningMean;
}

/** Writes the log-probability and the bits per dimension of each image. */
export async function scoreImages(
  loaded: LoadedModel,
  values: ScoreValues & {
    readonly output: string;
    readonly of: readonly string[];
    readonly given: readonly string[];
  },
  io: Io,
): Promise<void> {
  const { of, given, output } = values;
  refuseOptions({ of, given }, "tables");
  const destination = await tableOutput(output, io);
  const rows = await withScores(loaded, values, io, async ({ model, images, classes, scores }) => {
    const name = images.files ? "file" : "image";
    const labels = new Map(images.files ? [[name, images.files]] : []);
    if (classes) labels.set("class", model.classes);
    const columns = [name, ...(classes ? ["class"] : []), "log_probability", "bits_per_dimension"];
    async function* chunks() {
      let image = 0;
      for await (const block of scores) {
        yield Float64Array.from(
          Array.from(block).flatMap((logProb) => {
            const bits = bitsPerDimension(logProb, model.features);
            return classes ? [image, classes[image++]!, logProb, bits] : [image++, logProb, bits];
          }),
        );
      }
    }
    await writeRows(columns, chunks(), destination, { labels });
    return images.count;
  });
  reportWritten(`${counted(rows, "image")} with bits_per_dimension`, destination, io);
}

/** Prints the mean bits per dimension of images. */
export async function evaluateImages(
  loaded: LoadedModel,
  values: ScoreValues & { readonly json: boolean },
  io: Io,
): Promise<void> {
  const { model, mean } = await withScores(loaded, values, io, async ({ model, scores, mean }) => {
    for await (const _ of scores);
    return { model, mean };
  });
  const { features, flow, density } = model;
  const draws = `${counted(values.draws, "draw")} of ${density ? "noise" : "the posterior"} each`;
  const { count: rows, mean: meanLogDensity, standardError } = mean;
  const bits = bitsPerDimension(meanLogDensity, features);
  io.stdout.write(
    values.json
      ? jsonLine({
          rows,
          meanLogDensity,
          standardError,
          bitsPerDimension: bits,
          ...(flow.isBound && { draws: values.draws }),
        })
      : `Bits per dimension of ${counted(rows, "image")}: ${bitsEstimate(mean, features)} (${flow.isBound ? draws : "exact"})\n`,
  );
}

/** Opens the images and calls `use`, which iterates over their log-probabilities. */
async function withScores<T>(
  loaded: LoadedModel,
  { data, draws, threads, na, decimal, delimiter, strict }: ScoreValues,
  io: Io,
  use: (scored: Scored) => Promise<T>,
): Promise<T> {
  refuseOptions({ na, decimal: decimal === ",", delimiter, strict }, "tables");
  const model = ImageModel.from(loaded).withDraws(draws);
  const images = await openImages(data, {
    shape: model.shape,
    statedBy: "the model",
    signal: io.interrupted,
  });
  const messages = new Messages(io);
  const mean = new RunningMean();
  try {
    const classes = classesOfModel(model, images);
    async function* scores() {
      let done = 0;
      for await (const { rows, features, values } of imageBlocks(images, { values: model.values })) {
        for (let start = 0; start < rows; start += IMAGES_PER_CALL) {
          const end = Math.min(rows, start + IMAGES_PER_CALL);
          const block = await model.logProb(values.subarray(start * features, end * features), {
            ...(classes && { classes: classes.subarray(done, done + end - start) }),
            ...(threads !== undefined && { threads }),
          });
          for (const logProb of block) mean.add(logProb);
          done += end - start;
          messages.progress(done / images.count, "", ` ${count(done)} of ${counted(images.count, "image")}`);
          yield block;
        }
      }
    }
    return await use({ model, images, classes, scores: scores(), mean });
  } finally {
    messages.end();
    await images.close();
    await model.release();
  }
}
