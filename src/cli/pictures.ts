import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { InMemoryDataset } from "../dataset/index.ts";
import { makeDirectory, writeFileAtomically } from "../files/index.ts";
import { decodePicture, encodePng, grayLevels, imageGrid, type Picture } from "../images/files/index.ts";
import type { ImageModel, ImageSampleOptions } from "../images/model/index.ts";
import {
  checkFigurePackages,
  imageFigure,
  samplesFigure,
  svgToPng,
  type TrainingFigureOptions,
  tableFigure,
  trainingFigure,
} from "../report/index.ts";
import type { FittedRows } from "../tables/fit/index.ts";
import type { TrainingTable } from "../tables/io/index.ts";
import type { FitResult } from "../train/index.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import type { FitValues } from "./fitOptions.ts";
import type { HeldOutEvaluation } from "./fitReport.ts";
import { checkDirectoryName } from "./tableOutput.ts";

/** Checks for the packages that draw pictures, and makes the directory of the pictures: before training, so that both fail early. */
export async function preparePictures(directory: string): Promise<void> {
  checkDirectoryName(directory, "--pictures");
  await checkFigurePackages();
  await makeDirectory(directory);
}

/** Writes a picture of data beside samples, and the training curve. Returns their paths. */
export async function writePictures(
  directory: string,
  trained: FittedRows,
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

/** The number of images in a line of `training-samples.png`, and the distance between two of them in pixels. */
const LINE_IMAGES = 10;
const GAP = 2;

/**
 * The picture training-samples.png, which grows in the course of a training run: a line of samples after the epochs 1, 2, 4, 8 and so on.
 * Images in one column have the same random numbers and, if there are classes, the same class. A resumed training run keeps the lines of the
 * epochs before its checkpoint.
 */
export class TrainingSamples {
  private readonly path: string;
  private readonly model: ImageModel;
  private readonly options: ImageSampleOptions;
  private picture: Picture | undefined;

  constructor(directory: string, model: ImageModel, { seed, ...engine }: PictureValues) {
    this.path = join(directory, "training-samples.png");
    this.model = model;
    const K = model.classes.length;
    const classes = Array.from({ length: LINE_IMAGES }, (_, i) => i % K);
    this.options = { seed, ...engineOf(engine), ...(K > 0 && { classes }) };
  }

  /** The path of the picture, if it was written. */
  get paths(): string[] {
    return this.picture ? [this.path] : [];
  }

  async onEpoch(epoch: number): Promise<void> {
    const earlierLines = Math.log2(epoch);
    if (!Number.isInteger(earlierLines)) return;
    const { model } = this;
    const samples = grayLevels(await model.sample(LINE_IMAGES, this.options), model.values);
    const line = imageGrid(samples, model.shape, { columns: LINE_IMAGES, gap: GAP });
    if (earlierLines > 0) this.picture ??= await pictureIn(this.path);
    this.picture = below(this.picture, earlierLines, line);
    await writeFileAtomically(this.path, await encodePng(this.picture));
  }
}

/** The picture of a file; undefined if there is none that can be read. */
async function pictureIn(path: string): Promise<Picture | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && decodePicture(bytes, path).catch(() => undefined);
}

/** The first `count` lines of a picture with another line below, or only that line if the picture has fewer lines or another form. */
function below(picture: Picture | undefined, count: number, line: Picture): Picture {
  const [height, width, channels] = line.shape;
  const rows = count * (height - GAP);
  if (!picture || picture.shape[1] !== width || picture.shape[2] !== channels || picture.shape[0] < rows)
    return line;
  const lines = picture.pixels.subarray(0, rows * width * channels);
  const pixels = new Uint8Array(lines.length + line.pixels.length);
  pixels.set(lines);
  pixels.set(line.pixels, lines.length);
  return { shape: [rows + height, width, channels], pixels };
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
