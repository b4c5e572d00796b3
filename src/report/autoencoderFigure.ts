import { anyValue, checkOptions, integerFrom, required, seedValue } from "../check/index.ts";
import { concatRows, type InMemoryDataset } from "../dataset/index.ts";
import type { Autoencoder, RunOptions } from "../flows/index.ts";
import type { ImageShape } from "../nn/index.ts";
import { runRules } from "../runtime/index.ts";
import { imageGroups } from "./imageGroups.ts";

/** Options of `autoencoderFigure`. */
export interface AutoencoderFigureOptions extends RunOptions {
  /** Images that were not used in training, at least 10. */
  readonly heldOut: InMemoryDataset;
  /** `[height, width, channels]`. */
  readonly shape: ImageShape;
  /** The number of values of a pixel: 2 for black and white images. */
  readonly values: number;
  /** Seed of the samples. Default 0. */
  readonly seed?: number | undefined;
}

/** The number of images in a line. */
const COLUMNS = 10;

/**
 * Draws what an autoencoder of images has learned, as an SVG document: held-out images and their reconstructions, samples at two
 * temperatures, and walks in the latent space from one held-out image to another. Except for the held-out images, pixels are the centers of
 * the decoder's distribution, such as probabilities of white.
 *
 * @throws DEPENDENCY if the package that encodes pictures is not installed, ARGUMENT unless images have one channel or three.
 */
export async function autoencoderFigure(
  model: Autoencoder,
  options: AutoencoderFigureOptions,
): Promise<string> {
  checkOptions("autoencoderFigure", options, {
    heldOut: required(anyValue),
    shape: required(anyValue),
    values: required(integerFrom(2)),
    seed: seedValue,
    ...runRules,
  });
  const { heldOut, shape, values, seed = 0, ...run } = options;
  const image = (n: number) => heldOut.values.subarray(n * model.features, (n + 1) * model.features);
  const first = heldOut.values.subarray(0, COLUMNS * model.features);
  const samples = (temperature: number) => model.sample(2 * COLUMNS, { temperature, seed, ...run });
  const walk = (n: number) => model.interpolate(image(2 * n), image(2 * n + 1), COLUMNS, run);
  const groups = [
    {
      label: "a held-out image, and below it its reconstruction",
      pixels: concatRows([first, await model.reconstruct(first, run)]),
    },
    { label: "samples", pixels: await samples(1) },
    { label: "temperature 0.7", pixels: await samples(0.7) },
    { label: "latent walks", pixels: concatRows([await walk(0), await walk(1), await walk(2)]) },
  ];
  // The means of a Gaussian decoder can be outside of the range of pixels.
  const inRange = groups.map(({ label, pixels }) => ({
    label,
    pixels: pixels.map((value) => Math.min(values - 1, Math.max(0, value))),
  }));
  return imageGroups(inRange, { shape, values, columns: COLUMNS });
}
