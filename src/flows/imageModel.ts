import { Dequantized } from "../distributions/dequantized.ts";
import { TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import { type ImageShape, imageSize } from "../nn/image.ts";
import {
  anyValue,
  checkOptions,
  listOfTexts,
  numberFrom,
  type OptionRules,
  required,
  seedValue,
  wholeNumber,
} from "../options.ts";
import { runRules } from "../runtime/options.ts";
import type { RunOptions } from "./batchRunner.ts";
import { Flow } from "./flow.ts";
import type { LoadedModel } from "./modelFile.ts";
import { modelLabels } from "./modelLabels.ts";

/** Options of the methods of `ImageModel`. */
export interface ImageOptions extends RunOptions {
  /** `[n]`: the index of the class of each image, which a model with classes needs. */
  classes?: ArrayLike<number>;
}

/** Options of `ImageModel.sample`. */
export interface ImageSampleOptions extends ImageOptions {
  /** T: latent rows of the base distribution are multiplied by T. Below 1, samples are more typical and less diverse. Default 1. */
  temperature?: number;
  /** Image i depends only on the seed and i. Default 0. */
  seed?: number;
  /** Index of the first image. Default 0. */
  start?: number;
}

const imageRules: OptionRules<ImageOptions> = { ...runRules, classes: anyValue };

const imageSampleRules: OptionRules<ImageSampleOptions> = {
  ...imageRules,
  temperature: numberFrom(0),
  seed: seedValue,
  start: wholeNumber(0),
};

/**
 * A model of images: a flow of whole numbers (`Dequantized`), and the shape of the images. Images are rows [n, height * width *
 * channels] of pixels from 0 to values - 1, and so are the results.
 */
export class ImageModel implements AsyncDisposable {
  /** [height, width, channels]. */
  readonly shape: ImageShape;
  /** The number of values of a pixel. */
  readonly values: number;
  /** The names of the classes 0, 1, 2... of a conditional model; empty without classes. */
  readonly classes: readonly string[];
  /** The distribution of the pixels. */
  readonly flow: Flow;
  /** The density of pixels plus noise in [0, 1), which shares its parameters with `flow`. */
  readonly density: Flow;
  readonly #latent: Flow;

  /** Throws `ARGUMENT` unless the flow is one that `dequantize` returns, with the features of `shape`. */
  constructor(options: { flow: Flow; shape: ImageShape; classes?: readonly string[] }) {
    checkOptions("new ImageModel", options, {
      flow: required(anyValue),
      shape: required(anyValue),
      classes: listOfTexts,
    });
    const { flow, shape, classes = [] } = options;
    const { base, embedding } = flow;
    const values = base instanceof Dequantized && typeof base.values === "number" ? base.values : undefined;
    const isOfPixels =
      values !== undefined && (base as Dequantized).distribution instanceof TransformedDistribution;
    if (!isOfPixels || flow.features !== imageSize(shape)) {
      throw new PushforwardError("ARGUMENT", "the flow is not a model of pixels of images", {
        expected: `a flow of ${imageSize(shape)} whole numbers`,
        received: isOfPixels ? `a flow of ${flow.features}` : "a flow of real numbers",
        hint: "Make it by dequantize(glow({ image })), or another recipe for images.",
      });
    }
    const { base: latent, bijection } = (base as Dequantized).distribution as TransformedDistribution;
    this.shape = shape;
    this.values = values;
    this.classes = classes;
    this.flow = flow;
    this.density = new Flow(latent, bijection, embedding);
    this.#latent = new Flow(latent);
  }

  /** The model of images in a model file. Throws `ARGUMENT` for other models. */
  static from(model: LoadedModel): ImageModel {
    if (!model.image) {
      throw new PushforwardError("ARGUMENT", "the model is not a model of images", {
        hint: "Give a model that pushforward fit wrote for images.",
      });
    }
    const [classes = []] = modelLabels(model).values();
    return new ImageModel({ flow: model.flow, shape: model.image, classes });
  }

  /** D, the number of pixels times channels. */
  get features(): number {
    return imageSize(this.shape);
  }

  /** The number of latent features of each level of a multi-scale flow, the coarsest level first; [D] for other flows. */
  get levels(): readonly number[] {
    return this.density.bijection.levels ?? [this.features];
  }

  /** A model with the same parameters, whose log-probability averages over K = `samples` draws of noise. See `Dequantized`. */
  withDraws(samples: number): ImageModel {
    const { distribution, values, dequantizer } = this.flow.base as Dequantized;
    const base = new Dequantized({ distribution, values, samples, ...(dequantizer && { dequantizer }) });
    const flow = new Flow(base, undefined, this.flow.embedding);
    return new ImageModel({ flow, shape: this.shape, classes: this.classes });
  }

  /** log P of each image in nats, a lower bound in expectation: [n]. */
  async logProb(pixels: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("logProb", options, imageRules);
    const { classes, ...run } = options;
    return this.flow.logProb(pixels, contextOf(classes), run);
  }

  /** The latent rows [n, D] of the images x + 1/2, which are in the middle of the cells [x, x + 1) of whole numbers. */
  async toLatent(pixels: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("toLatent", options, imageRules);
    const { classes, ...run } = options;
    const middle = pixels.map((pixel) => pixel + 0.5);
    return this.density.toLatent(middle, contextOf(classes), run);
  }

  /** The images [n, D] of latent rows, rounded down to pixels. */
  async toPixels(latent: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("toPixels", options, imageRules);
    const { classes, ...run } = options;
    const data = await this.density.toData(latent, contextOf(classes), run);
    return data.map((value) => Math.min(this.values - 1, Math.max(0, Math.floor(value))));
  }

  /** Draws n images: [n, D]. */
  async sample(n: number, options: ImageSampleOptions = {}): Promise<Float64Array> {
    checkOptions("sample", options, imageSampleRules);
    const { temperature = 1, seed = 0, start = 0, classes, ...run } = options;
    const copied = contextOf(classes);
    const latent = await this.#latent.sample(n, { seed, start, ...run });
    return this.toPixels(
      latent.map((z) => temperature * z),
      { ...run, ...(copied && { classes: copied }) },
    );
  }

  /** Frees what the methods keep for their next call; see `Flow.release`. */
  async release(): Promise<void> {
    for (const flow of [this.flow, this.density, this.#latent]) await flow.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

const contextOf = (classes: ArrayLike<number> | undefined): Float64Array | undefined =>
  classes && Float64Array.from(classes);
