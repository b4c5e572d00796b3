import {
  anyValue,
  checkOptions,
  integerFrom,
  listOfTexts,
  numberFrom,
  type OptionRules,
  PushforwardError,
  parse,
  required,
  seedValue,
} from "../../check/index.ts";
import { checkDistinctNames, concatRows } from "../../dataset/index.ts";
import {
  Dequantized,
  type Distribution,
  TransformedDistribution,
  VariationalAutoencoder,
} from "../../distributions/index.ts";
import {
  checkCount,
  checkFlow,
  Flow,
  latentLine,
  type RunOptions,
  type TensorMaps,
} from "../../flows/index.ts";
import { type ModelContents, modelLabels } from "../../model/index.ts";
import { type ImageShape, imageSchema, imageSize } from "../../nn/index.ts";
import { runRules } from "../../runtime/index.ts";
import { classPosterior, type ImageClassification } from "./classPosterior.ts";
import { autoencoderLatentSpace, dequantizedLatentSpace, type LatentSpace } from "./imageLatentSpace.ts";

/** Options of the methods of `ImageModel`. */
export interface ImageOptions extends RunOptions {
  /** `[n]`: the index of the class of each image, which a model with classes needs. Default none. */
  classes?: ArrayLike<number> | undefined;
}

/** Options of `ImageModel.sample`. */
export interface ImageSampleOptions extends ImageOptions {
  /**
   * T: draws from the base distribution, or from that of the prior of an autoencoder, are multiplied by T. A model without a latent space
   * divides logits by T and multiplies scales by it. Below 1, samples are more typical and less diverse. Default 1.
   */
  temperature?: number | undefined;
  /** Image i depends only on the seed and i. Default 0. */
  seed?: number | undefined;
  /** Index of the first image. Default 0. */
  start?: number | undefined;
}

const imageRules: OptionRules<ImageOptions> = { ...runRules, classes: anyValue };

const imageSampleRules: OptionRules<ImageSampleOptions> = {
  ...imageRules,
  temperature: numberFrom(0),
  seed: seedValue,
  start: integerFrom(0),
};

/**
 * A model of images: a flow of integers (`Dequantized`, a variational autoencoder, or one without a latent space such as
 * `PixelAutoregressive`), and the shape of the images. Images are rows [n, height * width * channels] of pixels from 0 to values - 1, and
 * so are the results.
 */
export class ImageModel implements AsyncDisposable {
  /** [height, width, channels]. */
  readonly shape: ImageShape;
  /** The number of values of a pixel. */
  readonly values: number;
  /** The names of the classes 0, 1, 2... of a conditional model; empty without classes. */
  readonly classes: readonly string[];
  /** P(y), the probability of each class before its image is seen; empty without classes. */
  readonly priors: readonly number[];
  /** The distribution of the pixels. */
  readonly flow: Flow;
  /**
   * The density of pixels plus noise in [0, 1), which shares its parameters with `flow`. Undefined for a model that does not dequantize
   * pixels.
   */
  readonly density: Flow | undefined;
  readonly #latentSpace: LatentSpace | undefined;
  /** The last flow of `#atTemperature`. */
  #tempered: { readonly temperature: number; readonly flow: Flow } | undefined;

  /**
   * `flow` is a distribution of whole pixels, such as `dequantize`, `vae` or `imageTransformer` returns. `priors` are the probabilities of
   * the classes, or numbers in proportion to them, such as counts; by default they are equal.
   *
   * @throws ARGUMENT if the flow is not a distribution of pixels, or has another number of features than `shape`; if `shape` is not three
   *   positive integers; if `classes` does not have a different name for each class of the flow; and if `priors` is not one number of at
   *   least 0 for each class, with a sum above 0.
   */
  constructor(options: {
    flow: Flow;
    shape: ImageShape;
    classes?: readonly string[] | undefined;
    priors?: readonly number[] | undefined;
  }) {
    checkOptions("new ImageModel", options, {
      flow: required(anyValue),
      shape: required(anyValue),
      classes: listOfTexts,
      priors: {
        expected: "a list of numbers",
        accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === "number"),
      },
    });
    const { flow, classes = [] } = options;
    checkFlow("new ImageModel", flow);
    const shape = parse(imageSchema, options.shape, "the shape of new ImageModel");
    const { base, embedding } = flow;
    const learned = embedding?.describe().classes?.[0] ?? 0;
    if (classes.length !== learned) {
      throw new PushforwardError("ARGUMENT", "the names of the classes do not match the flow", {
        expected: learned === 0 ? "no names, because the flow has no classes" : `${learned} names`,
        received: `${classes.length}`,
      });
    }
    checkDistinctNames("the classes of new ImageModel", classes, learned);
    const values = flow.bijection.isIdentity ? valuesOfPixels(base) : undefined;
    if (values === undefined || flow.features !== imageSize(shape)) {
      const isOfIntegers = flow.bijection.isIdentity && base.values !== undefined;
      const unsuitable = isOfIntegers ? "integers that are not pixels" : "real numbers";
      throw new PushforwardError("ARGUMENT", "the flow is not a model of pixels of images", {
        expected: `a flow of ${imageSize(shape)} integers`,
        received: values === undefined ? `a flow of ${unsuitable}` : `a flow of ${flow.features}`,
        hint: "Make it by dequantize(glow({ image })), or another recipe for images.",
      });
    }
    this.shape = shape;
    this.values = values;
    this.classes = classes;
    this.priors = normalized(options.priors ?? classes.map(() => 1), classes);
    this.flow = flow;
    if (base instanceof Dequantized) {
      const { base: prior, bijection } = base.distribution as TransformedDistribution;
      this.density = new Flow(prior, bijection, embedding);
      this.#latentSpace = dequantizedLatentSpace(this.density, values);
    } else if (base instanceof VariationalAutoencoder) {
      this.#latentSpace = autoencoderLatentSpace(base, flow);
    }
  }

  /** The model of images in a model file. Throws `ARGUMENT` for other models. */
  static from(model: ModelContents): ImageModel {
    if (!model.image) {
      throw new PushforwardError("ARGUMENT", "the model is not a model of images", {
        hint: "Give a model that pushforward fit wrote for images.",
      });
    }
    const [classes = []] = modelLabels(model).values();
    const [record] = model.training?.given ?? [];
    // Counts of images that are read from disk are estimated from a sample, in which a rare class may be missing.
    const priors =
      record && "counts" in record ? record.counts.map((count) => Math.max(1, count)) : undefined;
    return new ImageModel({ flow: model.flow, shape: model.image, classes, priors });
  }

  /** D, the number of pixels times channels. */
  get features(): number {
    return imageSize(this.shape);
  }

  /** Whether images have latent rows. Otherwise the log-probability is exact, and `toLatent` and `toPixels` throw `ARGUMENT`. */
  get hasLatentSpace(): boolean {
    return this.#latentSpace !== undefined;
  }

  /** L, the number of latent features: D for a flow, and fewer for an autoencoder. Throws `ARGUMENT` without a latent space. */
  get latentFeatures(): number {
    return this.#requireLatentSpace().prior.features;
  }

  /**
   * The number of latent features of each level of a multi-scale flow, the coarsest level first; [L] for other models. Throws `ARGUMENT`
   * without a latent space.
   */
  get levels(): readonly number[] {
    return this.density?.bijection.levels ?? [this.latentFeatures];
  }

  /**
   * The maps of `toLatent` and `toPixels` in a graph; undefined for a model that does not dequantize pixels.
   *
   * @internal
   */
  get tensorMaps(): TensorMaps | undefined {
    const { density, values } = this;
    return (
      density && {
        toLatent: (x, context) => density.toLatent(x.add(0.5), context),
        toData: (z, context) =>
          density
            .toData(z, context)
            .floor()
            .maximum(0)
            .minimum(values - 1),
      }
    );
  }

  /**
   * A model with the same parameters, whose log-probability averages over K = `samples` draws: of noise, or of the posterior of an
   * autoencoder. See `Dequantized` and `VariationalAutoencoder`. Throws `ARGUMENT` if the log-probability is exact and K > 1.
   */
  withDraws(samples: number): ImageModel {
    const { base, embedding } = this.flow;
    const { shape, classes, priors } = this;
    if (!base.withDraws) {
      if (samples === 1) return this;
      throw new PushforwardError("ARGUMENT", "the log-probability of the model is exact", {
        expected: "1 draw",
        received: `${samples}`,
        hint: "Draws are for flows of dequantized images and for autoencoders.",
      });
    }
    const flow = new Flow(base.withDraws(samples), undefined, embedding);
    return new ImageModel({ flow, shape, classes, priors });
  }

  /**
   * log P of each image in nats: [n]. With dequantization or an autoencoder it is a lower bound in expectation.
   *
   * @throws SHAPE if the pixels are not those of whole images, or if there is neither one class for all images nor one for each; DATA for
   *   NaN, infinite pixels, and classes that the model does not have; ARGUMENT for a model with classes without the option `classes`, and
   *   for other models with it.
   */
  async logProb(pixels: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("logProb", options, imageRules);
    const { classes, ...run } = options;
    return this.flow.logProb(pixels, this.#contextOf(classes), run);
  }

  /**
   * Classifies images by Bayes' rule: P(y | x) = P(y) P(x | y) / P(x) with P(x) = sum_y P(y) P(x | y). It takes as long as `logProb` for
   * each class. With dequantization, log P(x | y) are lower bounds, which have the same noise for all classes.
   *
   * @throws ARGUMENT for a model without classes.
   */
  async classify(pixels: Float64Array, options: RunOptions = {}): Promise<ImageClassification> {
    checkOptions("classify", options, runRules);
    const { classes, priors } = this;
    if (classes.length === 0) {
      throw new PushforwardError("ARGUMENT", "the model has no classes", {
        hint: "Fit a model that is conditional on the class of an image.",
      });
    }
    const logLikelihoods: Float64Array[] = [];
    // The caller may change both while the first classes are evaluated.
    const [images, run] = [pixels.slice(), { ...options }];
    for (const y of classes.keys()) logLikelihoods.push(await this.flow.logProb(images, [y], run));
    return classPosterior(logLikelihoods, priors);
  }

  /**
   * The latent rows [n, L] of images: those of x + 1/2, which is in the middle of the cells [x, x + 1) of integers. For an autoencoder,
   * the codes that `Autoencoder.encode` returns. Throws `DATA` for pixels that are not values.
   */
  async toLatent(pixels: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("toLatent", options, imageRules);
    const { values, features } = this;
    const bad = pixels.findIndex((pixel) => !(Number.isInteger(pixel) && pixel >= 0 && pixel < values));
    if (bad >= 0) {
      throw new PushforwardError(
        "DATA",
        `image ${Math.floor(bad / features)} has the pixel value ${pixels[bad]}`,
        {
          expected: `integers from 0 to ${values - 1}`,
        },
      );
    }
    const { classes, ...run } = options;
    return this.#requireLatentSpace().toLatent(pixels, this.#contextOf(classes), run);
  }

  /**
   * The images [n, D] of latent rows, rounded down to pixels. For an autoencoder, the centers of the decoder's distribution, such as
   * probabilities of white, which are not rounded. Throws `ARGUMENT` without a latent space, and the other errors of `logProb`.
   */
  async toPixels(latent: Float64Array, options: ImageOptions = {}): Promise<Float64Array> {
    checkOptions("toPixels", options, imageRules);
    const { classes, ...run } = options;
    return this.#requireLatentSpace().toPixels(latent, this.#contextOf(classes), run);
  }

  /**
   * The images on the straight line between the latent rows of two images, with both ends: [steps, D], as `toPixels` returns them. In a
   * model with classes, `classes` has the one class of all of them.
   *
   * @throws SHAPE if `from` and `to` are not one image each; ARGUMENT for fewer than two steps and without a latent space; the errors of
   *   `toLatent`.
   */
  async interpolate(
    from: ArrayLike<number>,
    to: ArrayLike<number>,
    steps: number,
    options: ImageOptions = {},
  ): Promise<Float64Array> {
    checkOptions("interpolate", options, imageRules);
    checkCount("the number of steps of interpolate", steps, 2);
    const { features, latentFeatures } = this;
    for (const { length } of [from, to]) {
      if (length === features) continue;
      throw new PushforwardError("SHAPE", "an end of an interpolation is not one image", {
        expected: `${features} pixels`,
        received: `${length}`,
      });
    }
    // The caller may change the options while the ends are mapped.
    const { classes, ...run } = options;
    const copied = { ...run, classes: this.#contextOf(classes) };
    const ends = await this.toLatent(concatRows([Float64Array.from(from), Float64Array.from(to)]), copied);
    const line = latentLine(ends.subarray(0, latentFeatures), ends.subarray(latentFeatures), steps);
    return this.toPixels(line, copied);
  }

  /**
   * Draws n images: [n, D]. With a latent space, they are `toPixels` of draws from the distribution of latent rows.
   *
   * @throws ARGUMENT if n is not an integer from 0, if an option is not valid, and for a temperature other than 1 if the model has
   *   none; for `classes` the errors of `logProb`.
   */
  async sample(n: number, options: ImageSampleOptions = {}): Promise<Float64Array> {
    checkOptions("sample", options, imageSampleRules);
    const { temperature = 1, seed = 0, start = 0, classes, ...run } = options;
    const context = this.#contextOf(classes);
    if (!this.#latentSpace) {
      const previous = this.#tempered;
      const flow = this.#atTemperature(temperature);
      const isReplaced = previous && previous !== this.#tempered;
      // The samples are requested before another call can replace the flow: its release waits for them.
      const [images] = await Promise.all([
        flow.sample(n, { seed, start, ...run, ...(context && { context }) }),
        isReplaced && previous.flow.release(),
      ]);
      return images;
    }
    const { base, prior } = this.#latentSpace;
    const contextOfBase = base.context > 0 ? context : undefined;
    const noise = await base.sample(n, {
      seed,
      start,
      ...run,
      ...(contextOfBase && { context: contextOfBase }),
    });
    const scaled = noise.map((z) => temperature * z);
    const latent = await prior.toData(scaled, contextOfBase, run);
    return this.toPixels(latent, { ...run, ...(context && { classes: context }) });
  }

  /** The option `classes` as the context of the flow. Throws `ARGUMENT` if the model needs it and it is missing, or the other way round. */
  #contextOf(classes: ArrayLike<number> | undefined): Float64Array | undefined {
    if (this.classes.length > 0 && classes === undefined) {
      throw new PushforwardError("ARGUMENT", "the model needs the class of each image", {
        hint: "Give the option classes.",
      });
    }
    if (this.flow.context === 0 && classes !== undefined && classes.length > 0) {
      throw new PushforwardError("ARGUMENT", "the model has no classes", {
        hint: "Leave the option classes out.",
      });
    }
    return classes && Float64Array.from(classes);
  }

  /** The flow of a model without a latent space at a temperature. The last one is kept, because compiling its sampler takes time. */
  #atTemperature(temperature: number): Flow {
    const { base, embedding } = this.flow;
    if (temperature === 1) return this.flow;
    if (this.#tempered?.temperature === temperature) return this.#tempered.flow;
    if (!base.atTemperature) {
      throw new PushforwardError("ARGUMENT", "the model cannot be sampled at another temperature than 1", {
        received: `${temperature}`,
        hint: "Leave out the option temperature.",
      });
    }
    const flow = new Flow(base.atTemperature(temperature), undefined, embedding);
    this.#tempered = { temperature, flow };
    return flow;
  }

  #requireLatentSpace() {
    if (this.#latentSpace) return this.#latentSpace;
    throw new PushforwardError(
      "ARGUMENT",
      "the model has no latent space: it draws one pixel after the other",
      {
        hint: "Fit another flow of images, such as glow.",
      },
    );
  }

  /** Frees what the methods keep for their next call; see `Flow.release`. */
  async release(): Promise<void> {
    const evaluators = [this.flow, this.#latentSpace, this.#tempered?.flow];
    for (const evaluator of evaluators) await evaluator?.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** The number of values of a pixel under the distribution of a flow of images; undefined for other distributions. */
function valuesOfPixels(base: Distribution): number | undefined {
  const isOfPixels = !(base instanceof Dequantized) || base.distribution instanceof TransformedDistribution;
  return isOfPixels && typeof base.values === "number" ? base.values : undefined;
}

/** Numbers that are in proportion to the probabilities of the classes, divided by their sum. Throws `ARGUMENT` if they are not valid. */
function normalized(priors: readonly number[], classes: readonly string[]): readonly number[] {
  const sum = priors.reduce((total, prior) => total + prior, 0);
  const isValid =
    priors.every((prior) => prior >= 0) && (sum > 0 || priors.length === 0) && Number.isFinite(sum);
  if (isValid && priors.length === classes.length) return priors.map((prior) => prior / sum);
  throw new PushforwardError("ARGUMENT", "the priors of the classes are not valid", {
    expected: `${classes.length} numbers of at least 0, not all 0`,
    received: `${priors.join(", ")}`,
  });
}
