import { join } from "node:path";
import type { TrainingTable } from "../data/index.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import { writeFileAtomically } from "../files/atomicFile.ts";
import { makeDirectory } from "../files/makeDirectory.ts";
import type { ImageModel, ImageSampleOptions } from "../flows/index.ts";
import { encodePng, grayLevels, imageGrid } from "../images/index.ts";
import {
  imageFigure,
  samplesFigure,
  svgToPng,
  type TrainingFigureOptions,
  tableFigure,
  trainingFigure,
} from "../report/index.ts";
import { checkFigurePackages } from "../report/png.ts";
import type { FitResult } from "../train/index.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import type { HeldOutEvaluation } from "./fitReport.ts";
import { checkDirectoryName } from "./tableOutput.ts";
import type { Trained } from "./training.ts";

/** Checks for the packages that draw pictures, and makes the directory of the pictures: before training, so that both fail early. */
export async function preparePictures(directory: string): Promise<void> {
  checkDirectoryName(directory, "--pictures");
  await checkFigurePackages();
  await makeDirectory(directory);
}

/** Writes a picture of data beside samples, and the training curve. Returns their paths. */
export async function writePictures(
  directory: string,
  trained: Trained,
  { columns, rows, table }: TrainingTable,
  { seed, ...values }: FitValues,
  { onValidation: baseline }: HeldOutEvaluation,
): Promise<string[]> {
  const { flow } = trained;
  return writeFigures(directory, {
    "samples.png": table
      ? await tableFigure(table, flow, rows.sample, { seed, ...engineOf(values) })
      : await samplesFigure(flow, rows.sample, { columns, seed, ...engineOf(values) }),
    "training.png": await trainingCurve(trained, { baseline }),
  });
}

/** The picture of the epochs of a training run; undefined without an epoch. */
async function trainingCurve(
  {
    epochs,
    bestEpoch,
    validationLogDensity,
  }: Pick<FitResult, "epochs" | "bestEpoch" | "validationLogDensity">,
  options: Pick<TrainingFigureOptions, "baseline" | "features">,
): Promise<string | undefined> {
  if (epochs.length === 0) return undefined;
  // The initial weights count as epoch 0, and may have been the best.
  const initial = { epoch: 0, trainLogDensity: Number.NaN, validationLogDensity };
  return trainingFigure({ epochs: bestEpoch === 0 ? [initial, ...epochs] : epochs, bestEpoch, ...options });
}

/** The number of images in a line of `training-samples.png`. */
const LINE_IMAGES = 10;

/**
 * The picture training-samples.png, which grows in the course of a training run: a line of samples after the epochs 1, 2, 4, 8 and so on.
 * Images in one column have the same random numbers and, if there are classes, the same class.
 */
export class TrainingSamples {
  private readonly path: string;
  private readonly model: ImageModel;
  private readonly options: ImageSampleOptions;
  private pixels: Uint8Array = new Uint8Array(0);

  constructor(directory: string, model: ImageModel, { seed, ...engine }: PictureValues) {
    this.path = join(directory, "training-samples.png");
    this.model = model;
    const K = model.classes.length;
    const classes = Array.from({ length: LINE_IMAGES }, (_, i) => i % K);
    this.options = { seed, ...engineOf(engine), ...(K > 0 && { classes }) };
  }

  /** The path of the picture, if it was written. */
  get paths(): string[] {
    return this.pixels.length > 0 ? [this.path] : [];
  }

  async onEpoch(epoch: number): Promise<void> {
    if (!Number.isInteger(Math.log2(epoch))) return;
    const { model } = this;
    const line = grayLevels(await model.sample(LINE_IMAGES, this.options), model.values);
    this.pixels = Uint8Array.from([...this.pixels, ...line]);
    const grid = imageGrid(this.pixels, model.shape, { columns: LINE_IMAGES });
    await writeFileAtomically(this.path, await encodePng(grid));
  }
}

type PictureValues = Pick<FitValues, "seed" | keyof EngineValues>;

/** Writes a picture of images and samples, and the training curve. Returns their paths. */
export async function writeImagePictures(
  directory: string,
  model: ImageModel,
  result: FitResult,
  rows: { readonly training: InMemoryDataset; readonly heldOut: InMemoryDataset },
  { seed, ...values }: PictureValues,
): Promise<string[]> {
  return writeFigures(directory, {
    "samples.png": await imageFigure(model, { ...rows, seed, ...engineOf(values) }),
    "training.png": await trainingCurve(result, { features: model.features }),
  });
}

/** Writes SVG documents as PNG files. Returns their paths. */
async function writeFigures(
  directory: string,
  figures: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, svg] of Object.entries(figures)) {
    if (svg === undefined) continue;
    const path = join(directory, name);
    await writeFileAtomically(path, await svgToPng(svg));
    paths.push(path);
  }
  return paths;
}
