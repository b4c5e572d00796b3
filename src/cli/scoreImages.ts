import { counted, PushforwardError } from "../check/index.ts";
import { bitsPerDimension, type ImageClassification } from "../images/model/index.ts";
import { RunningMean } from "../numerics/index.ts";
import { writeRows } from "../tables/io/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { jsonLine } from "./format.ts";
import { classesOfModel, noClasses, refuseOptions } from "./imageModels.ts";
import { bitsEstimate } from "./imageReport.ts";
import { type ImageScoring, type ImageScoringOptions, withImages } from "./imagesOfModel.ts";
import type { Io } from "./io.ts";
import { isDirectory, reportWritten, tableOutput } from "./tableOutput.ts";

/** Values of the commands that compute the probability of images. */
interface ScoreValues extends ImageScoringOptions, EngineValues {
  /** Whether the classes of images are predicted. Otherwise a model with classes needs those of the images. */
  readonly classify: boolean;
}

/** The scores of some images: log-probabilities in nats, and with `--classify` also the probabilities of the classes. */
type Scores = Pick<ImageClassification, "logProb"> & Partial<ImageClassification>;

/** Writes the log-probability and the bits per dimension of each image, and with `--classify` the probability of each class. */
export async function scoreImages(
  loaded: LoadedModel,
  values: ScoreValues & {
    readonly output: string;
    readonly of: readonly string[];
    readonly given: readonly string[];
  },
  io: Io,
): Promise<void> {
  const { of, given, output, classify } = values;
  refuseOptions({ of, given }, "tables");
  if (isDirectory(output)) {
    throw new PushforwardError("ARGUMENT", `the output ${output} is a directory`, {
      expected: "a file with a row for each image",
      hint: "Give the name of a file: -o scored.csv",
    });
  }
  const destination = await tableOutput(output, io);
  const rows = await withImages(loaded, values, io, async (opened) => {
    const { model, images } = opened;
    const scores = scoresOf(opened, values);
    const name = images.files ? "file" : "image";
    const classes = model.classes.length > 0 ? images.classes : undefined;
    const columns = [
      name,
      ...(classes ? ["class"] : []),
      ...(classify ? ["predicted_class"] : []),
      "log_probability",
      "bits_per_dimension",
      ...(classify ? model.classes.map((each) => `p_${each}`) : []),
    ];
    const labels = new Map(images.files ? [[name, images.files]] : []);
    if (classes) labels.set("class", classes.names);
    if (classify) labels.set("predicted_class", model.classes);
    async function* chunks() {
      const K = model.classes.length;
      let image = 0;
      for await (const { logProb, classes: predicted, probabilities } of scores) {
        const rows: number[] = [];
        for (let i = 0; i < logProb.length; i++, image++) {
          rows.push(image);
          if (classes) rows.push(classes.indices[image]!);
          // An image of probability 0 has no class.
          if (predicted) rows.push(predicted[i]! < 0 ? Number.NaN : predicted[i]!);
          rows.push(logProb[i]!, bitsPerDimension(logProb[i]!, model.features));
          if (probabilities) rows.push(...probabilities.subarray(i * K, (i + 1) * K));
        }
        yield Float64Array.from(rows);
      }
    }
    await writeRows(columns, chunks(), destination, { labels });
    return images.count;
  });
  const what = classify ? "predicted_class" : "bits_per_dimension";
  reportWritten(`${counted(rows, "image")} with ${what}`, destination, io);
}

/** Prints the mean bits per dimension of images, and with `--classify` the accuracy of the predicted classes. */
export async function evaluateImages(
  loaded: LoadedModel,
  values: ScoreValues & { readonly json: boolean },
  io: Io,
): Promise<void> {
  const { classify, draws } = values;
  const mean = new RunningMean();
  const accuracy = new RunningMean();
  const { features, flow, density } = await withImages(loaded, values, io, async (opened) => {
    const { model, images } = opened;
    const scores = scoresOf(opened, values);
    const labels = classify ? classesOfModel(model, images) : undefined;
    let image = 0;
    for await (const { logProb, classes: predicted } of scores) {
      for (let i = 0; i < logProb.length; i++, image++) {
        mean.add(logProb[i]!);
        if (predicted && labels) accuracy.add(predicted[i] === labels[image] ? 1 : 0);
      }
    }
    return model;
  });
  const { count: rows, mean: meanLogDensity, standardError } = mean;
  if (values.json) {
    const event = {
      rows,
      meanLogDensity,
      standardError,
      bitsPerDimension: bitsPerDimension(meanLogDensity, features),
      ...(flow.isBound && { draws }),
      ...(classify && { accuracy: accuracy.mean }),
    };
    io.stdout.write(jsonLine(event));
    return;
  }
  const draw = `${counted(draws, "draw")} of ${density ? "noise" : "the posterior"} each`;
  io.stdout.write(
    `Bits per dimension of ${counted(rows, "image")}: ${bitsEstimate(mean, features)} (${flow.isBound ? draw : "exact"})\n`,
  );
  if (classify) io.stdout.write(`Accuracy of the predicted classes: ${(100 * accuracy.mean).toFixed(2)}%\n`);
}

/**
 * The scores of the images, in blocks.
 *
 * @throws ARGUMENT if `--classify` is given for a model without classes; DATA if the images have no classes, which are needed without it.
 */
function scoresOf(
  { model, images, blocks }: ImageScoring,
  { classify, ...values }: ScoreValues,
): AsyncGenerator<Scores> {
  if (classify && model.classes.length === 0) throw noClasses("classify");
  const classes = classify ? undefined : classesOfModel(model, images);
  const run = engineOf(values);
  async function* scores() {
    for await (const { start, end, pixels } of blocks) {
      if (classify) yield model.classify(pixels, run);
      else {
        const ofBlock = classes && { classes: classes.subarray(start, end) };
        yield { logProb: await model.logProb(pixels, { ...ofBlock, ...run }) };
      }
    }
  }
  return scores();
}
