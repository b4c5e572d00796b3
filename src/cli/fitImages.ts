import { DEFAULT_PATCH } from "../bijections/index.ts";
import { count, counted, PushforwardError } from "../check/index.ts";
import { type InMemoryDataset, storedRows } from "../dataset/index.ts";
import {
  DEFAULT_LEVELS,
  type Flow,
  glow,
  imageTransformer,
  NICE_LAYERS,
  nice,
  realNVP,
  tarflow,
  vae,
} from "../flows/index.ts";
import {
  checkPictureShape,
  type ImageRows,
  type ImageSet,
  imageRows,
  shapeText,
  skippedFilesText,
  withReflections,
} from "../images/files/index.ts";
import { bitsPerDimension, ImageModel, pixelHistograms } from "../images/model/index.ts";
import { type ImageShape, imageSize } from "../nn/index.ts";
import { RunningMean } from "../numerics/index.ts";
import { openImages } from "../open/index.ts";
import { summarizeContext } from "../tables/evaluate/index.ts";
import { encodeModel } from "../tables/model/index.ts";
import { fit } from "../train/index.ts";
import { engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import { checkImageValues, type ImageFitValues } from "./fitValues.ts";
import { bitsText, type ImageReport, imageEvent, imageReport } from "./imageReport.ts";
import type { Io } from "./io.ts";
import { preparePictures, TrainingSamples, writeImagePictures } from "./pictures.ts";
import { type Fitted, runFit, type TrainingServices } from "./runFit.ts";
import { splitRows, warnOfFewerTestRows } from "./splitRows.ts";
import { trainingOptions } from "./training.ts";
import { TrainingProgress } from "./trainingProgress.ts";

/** Larger images are refused. Training a Glow of one transform and width 4 on images of 3 million numbers took 5.7 GB of memory. */
const MAX_NUMBERS_OF_IMAGE = 2 ** 22;
/** Rows of images have more numbers than those of tables, and smaller batches give more steps per epoch. */
const BATCH_SIZE = 64;
/** The number of values of a pixel of 8 bits. */
const DEFAULT_VALUES = 256;
/** The number of epochs in which the weight of the KL divergence of an autoencoder increases to 1. */
const KL_WARM_UP_EPOCHS = 5;

/** Reads images, trains a flow on them, and writes the model, the pictures and the report. */
export async function fitImages(given: FitValues, io: Io, words: readonly string[]): Promise<void> {
  const values = checkImageValues(given);
  await runFit(values, io, words, async (messages) => {
    if (values.pictures !== undefined) await preparePictures(values.pictures);
    const { image, classes, values: pixelValues, seed } = values;
    const statedBy = { name: "--image", example: "--image 28x28x1" };
    const options = { shape: image, statedBy, classes, signal: io.interrupted };
    const images = await openImages(values.data, options);
    const unread = skippedFilesText(images);
    if (unread) messages.warn(unread);
    try {
      checkShape(values, images);
      const rows = await imageRows(images, { classes, values: pixelValues, seed });
      return { train: (services) => fitRows(values, images, rows, services), close: () => images.close() };
    } catch (error) {
      await images.close();
      throw error;
    }
  });
}

/** Throws `DATA` if images are too large, and `ARGUMENT` if an option is not possible for images of this shape. */
function checkShape(
  { flow, levels = DEFAULT_LEVELS, patch = DEFAULT_PATCH, pictures }: ImageFitValues,
  { shape, source }: ImageSet,
): void {
  if (pictures !== undefined) checkPictureShape(shape);
  const [height, width] = shape;
  if (imageSize(shape) > MAX_NUMBERS_OF_IMAGE) {
    throw new PushforwardError("DATA", `The images of ${source} are too large`, {
      expected: `at most ${count(MAX_NUMBERS_OF_IMAGE)} numbers for an image: height x width x channels`,
      received: shapeText(shape),
      hint: "Resize copies of them, for example by ImageMagick: mkdir small && magick mogrify -path small -resize 64x64! photos/*.jpg",
    });
  }
  const divides = (factor: number) => height % factor === 0 && width % factor === 0;
  const wrong = (needed: string, hint: string) =>
    new PushforwardError(
      "ARGUMENT",
      `The height and the width of the images are not multiples of ${needed}`,
      {
        received: `${height} x ${width} pixels in ${source}`,
        hint: `${hint} the images, or fit images of any size: --flow image-transformer`,
      },
    );
  if ((flow === "glow" || flow === "realnvp") && !divides(2 ** levels)) {
    const needed = `${2 ** levels}, which ${counted(levels, "level")} of ${flow} need`;
    throw wrong(needed, divides(2) ? "Lower --levels, resize or pad" : "Resize or pad");
  }
  const tooSmall = (needed: string, hint: string) =>
    new PushforwardError("ARGUMENT", `The images of ${source} are too small for ${flow}`, {
      expected: needed,
      received: `${height} x ${width} pixels`,
      hint,
    });
  if (flow === "realnvp" && height * width === 4 ** levels) {
    const hint = levels > 1 ? `Lower --levels, for example: --levels ${levels - 1}` : "Use another --flow.";
    throw tooSmall(`more than one pixel after ${counted(levels, "level")}`, hint);
  }
  if (flow === "nice" && imageSize(shape) === 1)
    throw tooSmall("at least two pixels, of which one half depends on the other", "Use another --flow.");
  if (flow === "tarflow" && !divides(patch))
    throw wrong(`the patch size ${patch}`, "Give another --patch, resize or pad");
}

async function fitRows(
  values: ImageFitValues,
  images: ImageSet,
  rows: ImageRows,
  services: TrainingServices,
): Promise<Fitted> {
  const { messages, log, io } = services;
  const { seed, batchSize = BATCH_SIZE } = values;
  const classes = values.classes ? images.classes!.names : [];
  const flow = flowOf(values, images.shape, classes.length);
  const { training: notReflected, validation, test } = splitRows(rows, values);
  warnOfFewerTestRows(rows, test, values, messages);
  const training = values.flips
    ? await withReflections(notReflected as ImageRows, images.shape, { seed })
    : notReflected;
  await services.discardOldCheckpoints();
  const progressOptions = { json: values.json, log, maxMinutes: values.maxMinutes };
  const progress = new TrainingProgress(io, messages, progressOptions, {
    text: (logDensity) => bitsText(logDensity, flow.features),
    unit: "bits per dimension",
    noun: "images",
    fields: ({ trainLogDensity, validationLogDensity }) => ({
      trainBitsPerDimension: bitsPerDimension(trainLogDensity, flow.features),
      validationBitsPerDimension: bitsPerDimension(validationLogDensity, flow.features),
    }),
    rows: training.rows,
  });
  progress.onMember(values.flow);
  const model = new ImageModel({ flow, shape: images.shape, classes });
  // Of the processes of an MPI job, only the first one writes files.
  const writes = (io.communicator?.rank ?? 0) === 0;
  const samples = values.pictures && writes ? new TrainingSamples(values.pictures, model, values) : undefined;
  const result = await fit(flow, training, {
    ...trainingOptions({ ...values, batchSize }, { ...services, progress }),
    async onEpoch(epoch) {
      progress.onEpoch(epoch);
      await samples?.onEpoch(epoch.epoch);
    },
    ...(flow.weightedBound && { klWarmUp: KL_WARM_UP_EPOCHS }),
    validation,
    checkpoint: services.checkpoints(),
  });
  const labels = new Map(classes.length > 0 ? [["class", classes]] : []);
  const given = [...labels.keys()];
  const bytes = encodeModel({
    flow,
    image: images.shape,
    given,
    ...(classes.length > 0 && { labels: [classes] }),
    training: {
      rows: notReflected.rows + validation.rows,
      seed,
      epochs: result.epochs.length,
      bestEpoch: result.bestEpoch,
      validationLogDensity: result.validationLogDensity,
      ...(classes.length > 0 && { given: summarizeContext([notReflected, validation], given, labels) }),
    },
  });
  return {
    bytes,
    stopped: result.stopped,
    async report({ elapsed, resumeCommand, throwIfInterrupted }) {
      const heldOut = test ?? validation;
      const evaluation = await evaluateImages(model, heldOut, notReflected.sample, values);
      throwIfInterrupted();
      const pictures = values.pictures
        ? [
            ...(samples?.paths ?? []),
            ...(await writeImagePictures(
              values.pictures,
              model,
              result,
              { training: training.sample, heldOut },
              values,
            )),
          ]
        : [];
      await model.release();
      const report: ImageReport = {
        values,
        images,
        rows: { training: notReflected, validation, ...(test && { test }) },
        result,
        evaluation: { ...evaluation, by: test ? "test" : "validation" },
        pictures,
        milliseconds: elapsed(),
        resumeCommand,
      };
      return { text: imageReport(report, io), event: imageEvent(report) };
    },
  };
}

/** The options of a recipe for each choice of `--coupling`. Recipes have affine couplings by default. */
const COUPLINGS = {
  affine: {},
  additive: { transform: { type: "additive" } },
  spline: { transform: { type: "rationalQuadraticSpline" } },
} as const;

/** The flow of `--flow`, a distribution of pixels. */
function flowOf(
  {
    flow,
    values,
    seed,
    transforms,
    hidden,
    levels,
    block,
    coupling,
    patch,
    latent,
    dequantization = "uniform",
  }: ImageFitValues,
  image: ImageShape,
  classes: number,
): Flow {
  if (flow === "vae") {
    return vae(imageSize(image), {
      seed,
      values: values ?? DEFAULT_VALUES,
      posterior: "sylvester",
      ...(transforms && { transforms }),
      ...(latent && { latent }),
      ...(hidden && { hidden: [hidden[0]!, hidden[0]!] }),
    });
  }
  const common = {
    image,
    seed,
    ...(values !== undefined && { values }),
    ...(classes > 0 && { classes }),
    ...(hidden && { width: hidden[0]! }),
  };
  if (flow === "image-transformer")
    return imageTransformer({ ...common, ...(transforms && { layers: transforms }) });
  if (flow === "nice") {
    const { width, ...others } = common;
    return nice({
      ...others,
      dequantization,
      ...(transforms && { transforms }),
      ...(width && { hidden: new Array<number>(NICE_LAYERS).fill(width) }),
    });
  }
  const dequantized = { ...common, dequantization };
  if (flow === "tarflow")
    return tarflow({ ...dequantized, ...(transforms && { transforms }), ...(patch && { patch }) });
  const options = {
    ...dequantized,
    ...(transforms && { steps: transforms }),
    ...(levels && { levels }),
    ...(block && { block }),
    ...(coupling && COUPLINGS[coupling]),
  };
  return flow === "glow" ? glow(options) : realNVP(options);
}

/** Log-probabilities of held-out images under the model and under independent pixels, in nats. */
async function evaluateImages(
  model: ImageModel,
  { rows, features, values, context, contextFeatures }: InMemoryDataset,
  training: InMemoryDataset,
  { draws, ...engine }: ImageFitValues,
) {
  const withDraws = draws > 1 ? model.withDraws(draws) : model;
  const logProb = await withDraws.logProb(values, {
    ...(contextFeatures > 0 && { classes: context }),
    ...engineOf(engine),
  });
  const independent = pixelHistograms(storedRows(training), { rows, features, values }, model.values);
  return {
    logProb: RunningMean.of(logProb),
    baseline: RunningMean.of(independent),
    gain: RunningMean.of(logProb.map((value, i) => value - independent[i]!)),
  };
}
