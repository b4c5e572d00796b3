import { anyValue, checkOptions, required, seedValue } from "../check/index.ts";
import { concatRows, type InMemoryDataset, storedRows } from "../dataset/index.ts";
import { latentLine, type RunOptions } from "../flows/index.ts";
import { nearestImages } from "../images/files/index.ts";
import type { ImageModel } from "../images/model/index.ts";
import { Random } from "../random/index.ts";
import { runRules } from "../runtime/index.ts";
import { type ImageGroup, imageGroups } from "./imageGroups.ts";

/** Options of `imageFigure`. */
export interface ImageFigureOptions extends RunOptions {
  /** The training images, of which the figure shows those that are nearest to samples. */
  readonly training: InMemoryDataset;
  /** Images that were not used in training, which are reconstructed and interpolated. */
  readonly heldOut: InMemoryDataset;
  /** Seed of the samples. Default 0. */
  readonly seed?: number | undefined;
}

/** The number of images in a line for a model without classes, and about that for a model with few classes. */
const COLUMNS = 10;
/** With more classes, the columns do not belong to classes. */
const MAX_CLASS_COLUMNS = 16;
/** The standard deviation of the latent rows of images that differ only in one level. Below 1, more of them look like training images. */
const LEVEL_TEMPERATURE = 0.7;

/**
 * Draws what a model of images has learned, as an SVG document: held-out images, samples at three temperatures, the training images
 * nearest to samples, and for a model with a latent space reconstructions, interpolations on lines in the latent space, and for a
 * multi-scale flow images that differ in the latent variables of one level. With at most 16 classes, each column has images of one class.
 *
 * @throws DEPENDENCY if the package that encodes pictures is not installed, ARGUMENT unless images have one channel or three.
 */
export async function imageFigure(model: ImageModel, options: ImageFigureOptions): Promise<string> {
  checkOptions("imageFigure", options, {
    training: required(anyValue),
    heldOut: required(anyValue),
    seed: seedValue,
    ...runRules,
  });
  const { training, heldOut, seed = 0, ...engine } = options;
  const { features, classes } = model;
  const hasColumns = classes.length > 1 && classes.length <= MAX_CLASS_COLUMNS;
  // With few classes, each class has several columns; with one, images would be larger than those of other models.
  const columns = hasColumns ? classes.length * Math.max(1, Math.floor(COLUMNS / classes.length)) : COLUMNS;
  const classAt = (column: number) => column % Math.max(1, classes.length);
  const run = (context: readonly number[]) => ({
    ...(classes.length > 0 && { classes: context }),
    ...engine,
  });
  const inColumns = Array.from({ length: columns }, (_, column) => classAt(column));
  const real = chooseRows(heldOut, 2 * columns, hasColumns ? classes.length : 0);
  const line = (of: Float64Array, index: number) =>
    of.subarray(index * columns * features, (index + 1) * columns * features);

  const samples = async (lines: number, temperature: number, start: number) =>
    model.sample(lines * columns, {
      seed,
      start: start * columns,
      temperature,
      ...run(Array.from({ length: lines }, () => inColumns).flat()),
    });
  const drawn = await samples(2, 1, 0);
  const nearest = nearestImages(line(drawn, 0), storedRows(training));
  const contextOf = ({ context }: InMemoryDataset, rows: number) =>
    classes.length > 0 ? Array.from(context.subarray(0, rows)) : [];
  const groups: ImageGroup[] = [
    { label: "held-out images", pixels: real.values },
    { label: "samples", pixels: drawn },
    { label: "temperature 0.8", pixels: await samples(1, 0.8, 2) },
    { label: "temperature 0.6", pixels: await samples(1, 0.6, 3) },
    {
      label: "a sample, and below it the nearest training image",
      pixels: concatRows([line(drawn, 0), training.select(nearest).values]),
    },
    ...(model.hasLatentSpace ? await latentGroups() : []),
  ];
  return imageGroups(groups, { shape: model.shape, values: model.values, columns });

  /** What the latent rows of images show. */
  async function latentGroups(): Promise<ImageGroup[]> {
    const ofLine = run(contextOf(real, columns));
    const latent = await model.toLatent(line(real.values, 0), ofLine);
    return [
      {
        label: "a held-out image, and below it its reconstruction",
        pixels: concatRows([line(real.values, 0), await model.toPixels(latent, ofLine)]),
      },
      { label: "interpolations", pixels: await interpolations() },
      ...(model.levels.length > 1 ? await Promise.all(model.levels.map((_, level) => resampled(level))) : []),
    ];
  }

  /**
   * Two lines from one held-out image to another. If each column has a class, both images have the same; otherwise all images of a line have the
   * class of the first.
   */
  async function interpolations(): Promise<Float64Array> {
    const ends = hasColumns ? [0, columns, columns - 1, 2 * columns - 1] : [0, 1, 2, 3];
    const rows = real.select(ends);
    const context = contextOf(rows, 4);
    const z = await model.toLatent(rows.values, run(context));
    const L = model.latentFeatures;
    const end = (i: number) => z.subarray(i * L, (i + 1) * L);
    const between = concatRows([0, 2].map((i) => latentLine(end(i), end(i + 1), columns)));
    return model.toPixels(between, run([0, 2].flatMap((i) => new Array<number>(columns).fill(context[i]!))));
  }

  /** Two lines of images that share the latent variables of all levels but one. */
  async function resampled(level: number): Promise<ImageGroup> {
    const random = new Random(seed).split("levels");
    const start = model.levels.slice(0, level).reduce((sum, size) => sum + size, 0);
    const end = start + model.levels[level]!;
    const z = new Float64Array(2 * columns * features);
    const context: number[] = [];
    for (let image = 0; image < 2 * columns; image++) {
      const lineIndex = Math.floor(image / columns);
      const shared = random.split(lineIndex).normal(new Float64Array(features));
      const own = random.split("own").split(image).normal(new Float64Array(features));
      for (let d = 0; d < features; d++) {
        const isOwn = image % columns > 0 && d >= start && d < end;
        z[image * features + d] = LEVEL_TEMPERATURE * (isOwn ? own : shared)[d]!;
      }
      context.push(classAt((3 * lineIndex + 2) % columns));
    }
    const number = model.levels.length - level;
    const name = `level ${number}${level === 0 ? ", the coarsest" : number === 1 ? ", the finest" : ""}`;
    return { label: `${name}, drawn again`, pixels: await model.toPixels(z, run(context)) };
  }
}

/** `count` rows, repeated if there are too few: the first ones or, if `classes` is not 0, row i is one of the class i modulo `classes`. */
function chooseRows(rows: InMemoryDataset, count: number, classes: number): InMemoryDataset {
  const indices = Array.from({ length: count }, (_, i) => {
    if (classes === 0) return i % rows.rows;
    const wanted = i % classes;
    const ofClass = Array.from(rows.context.keys()).filter((row) => rows.context[row] === wanted);
    return ofClass[Math.floor(i / classes) % Math.max(1, ofClass.length)] ?? i % rows.rows;
  });
  return rows.select(indices);
}
