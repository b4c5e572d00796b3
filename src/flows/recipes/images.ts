import * as z from "zod/mini";
import { type Bijection, Chain, type ScalarTransformOptions, Sigmoid } from "../../bijections/index.ts";
import { anyValue, checkOptions, integerFrom } from "../../check/index.ts";
import { ContextEmbedding, type Distribution, StandardNormal } from "../../distributions/index.ts";
import {
  type ConvNetOptions,
  convNetSchema,
  type ImageShape,
  imageSchema,
  imageSize,
} from "../../nn/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import { Random } from "../../random/index.ts";
import { dequantize } from "../dequantize.ts";
import { Flow } from "../flow.ts";
import { imageDequantizer } from "./imageDequantizer.ts";
import { checkedByConstructor, layerSchemas } from "./options.ts";

/** Options that the recipes for images share. */
export interface ImageRecipeOptions {
  /** [height, width, channels] of the images. */
  image: ImageShape;
  /** The number of values of a pixel: 0, 1, ... values - 1. Default 256. */
  values?: number | undefined;
  /** The number of classes, whose labels 0, 1, ... classes - 1 are the context. Default: an unconditional flow. */
  classes?: number | undefined;
  /** Seed of the initial weights. Default 0. */
  seed?: number | undefined;
}

/** Options that the recipes of image flows with a latent space share: `nice`, `glow`, `realNVP` and `tarflow`. */
export interface ImageFlowRecipeOptions extends ImageRecipeOptions {
  /**
   * If it is given, the flow is the distribution of pixels that are integers, as `dequantize` returns it: with uniform noise, or with noise
   * from a flow that is trained with it (variational dequantization, Ho et al. 2019, "Flow++"). By default the flow is the density of real
   * numbers.
   */
  dequantization?: "uniform" | "variational" | undefined;
}

/** Options that `glow` and `realNVP` share for images. */
export interface ImageCouplingRecipeOptions extends ImageFlowRecipeOptions, ConvNetOptions {
  /** The scalar transform of the couplings. Default `{ type: "affine", bound: 3 }`. */
  transform?: ScalarTransformOptions | undefined;
  /** The number of levels, each of which halves the height and the width. Default 2. */
  levels?: number | undefined;
}

/** Whether the first argument of a recipe has the options of an image instead of a number of features. */
export const hasImage = <T extends ImageRecipeOptions>(argument: number | T): argument is T =>
  typeof argument === "object" && argument !== null && "image" in argument;

export const imageFields = {
  image: imageSchema,
  values: z._default(z.int().check(z.minimum(2), z.maximum(65_536)), 256),
  classes: z.optional(sizeSchema.check(z.minimum(2))),
  seed: z._default(layerSchemas.seed, 0),
};

export const imageFlowFields = {
  ...imageFields,
  dequantization: z.optional(z.enum(["uniform", "variational"])),
};

/**
 * The default bound of the log-scales of couplings. With log 1000, the default of the affine transform, RealNVP without normalization
 * diverges on MNIST, and Glow has more bits per dimension (bench/images/EXPERIMENTS.md).
 */
const COUPLING_BOUND = 3;

/** The default number of levels of a multi-scale flow. */
export const DEFAULT_LEVELS = 2;

export const imageCouplingFields = {
  ...imageFlowFields,
  ...convNetSchema.shape,
  transform: z._default(checkedByConstructor, { type: "affine", bound: COUPLING_BOUND }),
  levels: z._default(sizeSchema.check(z.maximum(16)), DEFAULT_LEVELS),
};

/** Each level squeezes the image, which needs an even height and an even width. */
export const isSqueezable = z.refine<{ image: ImageShape; levels: number }>(
  ({ image, levels }) => image[0] % 2 ** levels === 0 && image[1] % 2 ** levels === 0,
  {
    path: ["image"],
    error: ({ input }) =>
      `a height and a width that are multiples of 2^levels = ${2 ** (input as { levels: number }).levels}`,
  },
);

/** a of the logit preprocessing: pixels are scaled to [a, 1 - a], so that the logit is finite at both ends. */
const MARGIN = 0.05;

/**
 * Logit preprocessing of pixels (Dinh et al. 2017, section 4.1, with the constants of Papamakarios et al. 2017):
 *
 *     z = logit(a + (1 - 2 a) x / values), a = 0.05,
 *
 * as a `Sigmoid` from z to x. The rows x [N, features] are pixels plus noise in [0, 1), so they are in (0, values). `values` is 256 by
 * default. Throws `ARGUMENT` if `features` is not a positive integer, or `values` is below 2.
 */
export function logitPixels(options: { features: number; values?: number | undefined }): Sigmoid {
  checkOptions("logitPixels", options, { features: anyValue, values: integerFrom(2) });
  const { features, values = 256 } = options;
  const margin = (MARGIN / (1 - 2 * MARGIN)) * values;
  return new Sigmoid({ features, low: -margin, high: values + margin });
}

/** The options of `imageFlow`, which are those of its recipe with the defaults filled in. */
type ImageFlowOptions = z.output<z.ZodMiniObject<typeof imageFlowFields>>;

/**
 * A flow of images with real values from 0 to `values`: the `preprocessing`, by default to logits, and then the layers `fromDataToBase`.
 * With `dequantization` it is the distribution of pixels that are integers.
 */
export function imageFlow(
  { image, values, classes, dequantization, seed }: ImageFlowOptions,
  fromDataToBase: readonly Bijection[],
  {
    preprocessing = logitPixels({ features: imageSize(image), values }),
    base = new StandardNormal({ features: imageSize(image) }),
  }: { preprocessing?: Bijection; base?: Distribution } = {},
): Flow {
  const layers = [preprocessing, ...fromDataToBase];
  const embedding = classes === undefined ? undefined : new ContextEmbedding({ classes: [classes] });
  const density = new Flow(base, Chain.joined(layers.toReversed()), embedding);
  if (dequantization === undefined) return density;
  if (dequantization === "uniform") return dequantize(density, { values });
  const dequantizer = imageDequantizer(image, new Random(seed).split("dequantizer"));
  return dequantize(density, { values, dequantizer });
}
