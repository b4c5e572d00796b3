import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { scoped, type Tensor } from "../graph/index.ts";
import {
  ConvNet,
  type ConvNetOptions,
  convNetSchema,
  type ImageContext,
  type ImageShape,
  imageSchema,
  imageSize,
  toRows,
} from "../nn/index.ts";
import { countSchema, type Description } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { channelSplit, checkerboardSplit, type ImageSplit } from "./imageSplit.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import { networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

const imageCouplingSchema = z
  .strictObject({
    type: z.literal("imageCoupling"),
    image: imageSchema,
    mask: z._default(z.enum(["channels", "checkerboard"]), "channels"),
    inverted: z._default(z.boolean(), false),
    context: z._default(z.union([countSchema, imageSchema]), 0),
    transform: z._default(scalarTransformSchema, { type: "affine" }),
    network: z.prefault(convNetSchema, {}),
  })
  .check(
    z.refine(
      ({ image, context }) =>
        typeof context === "number" || (context[0] === image[0] && context[1] === image[1]),
      { path: ["context"], error: "an image of the same height and width" },
    ),
  );

/** Options of `ImageCoupling`. */
export interface ImageCouplingOptions {
  /** [height, width, channels] of the image. */
  image: ImageShape;
  /**
   * Which features stay unchanged: `channels` for the first half of the channels, rounded down, or `checkerboard` for the pixels
   * whose row plus column is even. Default `channels`.
   */
  mask?: "channels" | "checkerboard" | undefined;
  /** Exchanges the unchanged and the changed features. Default false. */
  inverted?: boolean | undefined;
  /** C, the number of context features, or the shape of a context image of equal height and width. Default 0: unconditional. */
  context?: ImageContext | undefined;
  /** The scalar transform of each feature: its options, or an object of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform | undefined;
  /** The convolutional network that computes the parameters. By default it has one plain block of width 64. */
  network?: ConvNetOptions | undefined;
}

/**
 * Coupling layer for images: a convolutional network computes from the unchanged features and the context the parameters of
 * a scalar transform of the others. With the affine transform it is the layer of RealNVP (Dinh et al. 2017) and Glow (Kingma and
 * Dhariwal 2018), with the additive one the layer of NICE (Dinh et al. 2015), with a spline the layer of neural spline flows
 * (Durkan et al. 2019). It starts as the identity.
 */
export class ImageCoupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: ConvNet;
  private readonly options: z.output<typeof imageCouplingSchema>;
  private readonly transform: ScalarTransform;
  private readonly split: ImageSplit;
  /**
   * The `columns`, computed at the first use. They are far longer than the parameters, so computing them in the constructor would let a small file
   * allocate much memory.
   */
  private cachedColumns: readonly number[] | undefined;

  /** Throws `ARGUMENT` if the options are not valid, or if the mask would change all features or none. */
  constructor(options: ImageCouplingOptions, random: Random) {
    this.options = parse(imageCouplingSchema, { type: "imageCoupling", ...options }, "an image coupling");
    const { image, mask, inverted, context, transform, network } = this.options;
    this.features = imageSize(image);
    this.context = typeof context === "number" ? context : imageSize(context);
    this.transform = buildScalarTransform(transform);
    const checkerboard = mask === "checkerboard";
    this.split = checkerboard ? checkerboardSplit(image, inverted) : channelSplit(image, inverted);
    const { changed, inputChannels } = this.split;
    if (changed.length === 0 || changed.length === this.features) {
      throw new PushforwardError(
        "ARGUMENT",
        `the mask "${mask}" must leave some features of the image unchanged, and others not`,
        {
          expected: `at least 2 ${checkerboard ? "pixels" : "channels"}`,
          received: `an image of ${image.join(" x ")}`,
        },
      );
    }
    const { parameters, angles } = this.transform;
    const inputs = angles ? 2 * inputChannels : inputChannels;
    this.network = new ConvNet(inputs, parameters * this.outputChannels, network, random, context);
  }

  /** For each column of the transform's parameters, its position in a row of the network's output. */
  private get columns(): readonly number[] {
    const { image } = this.options;
    const { changed } = this.split;
    this.cachedColumns ??= outputColumns(this.transform, changed, image[2], this.outputChannels);
    return this.cachedColumns;
  }

  /** With a checkerboard the network also has outputs for the unchanged pixels, which are not used. */
  private get outputChannels(): number {
    const { image, mask } = this.options;
    return mask === "checkerboard" ? image[2] : image[2] - this.split.inputChannels;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(rows: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const { split, transform } = this;
    const unchanged = split.unchangedImage(rows);
    const input = networkInputs(transform, unchanged);
    const output = scoped("network", () => this.network.apply(input, context));
    const raw = toRows(output).gather(1, this.columns);
    const { value, logDerivative } = transform[direction](split.changedFeatures(rows), raw);
    return {
      value: split.replaced(rows, value),
      logDet: sumFeatures(logDerivative, split.changed.length),
    };
  }

  describe(): Description {
    return describeWithTransform(this.options);
  }
}

/**
 * For each column of the parameters of the changed features, its position in a row of the network's output. Each pixel of the
 * output has the first parameter of its `channels` features, then their second parameter, and so on.
 */
function outputColumns(
  transform: ScalarTransform,
  changed: readonly number[],
  imageChannels: number,
  channels: number,
): number[] {
  const nextParameter = changed.map(() => 0);
  return transform.columns(changed.length).map((feature) => {
    const parameter = nextParameter[feature]++;
    const pixel = Math.floor(changed[feature] / imageChannels);
    const channel = (changed[feature] % imageChannels) % channels;
    return (pixel * transform.parameters + parameter) * channels + channel;
  });
}

export const imageCouplingKind: BijectionKind<typeof imageCouplingSchema> = {
  schema: imageCouplingSchema,
  build: ({ type: _, ...options }, random) => new ImageCoupling(options, random),
};
