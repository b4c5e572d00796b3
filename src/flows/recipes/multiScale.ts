import * as z from "zod/mini";
import {
  Actnorm,
  BatchNorm,
  type Bijection,
  Chain,
  Coupling,
  DiagonalScaling,
  FactorOut,
  ImageCoupling,
  type ImageCouplingOptions,
  LULinear,
  PerPixel,
  registerAllScalarTransforms,
  Squeeze,
} from "../../bijections/index.ts";
import { parse } from "../../check/index.ts";
import { type ConvNetOptions, type ImageShape, imageSize } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { type ImageCouplingRecipeOptions, imageCouplingFields, imageFlow, isSqueezable } from "./images.ts";
import { layerSchemas } from "./options.ts";

/** Options of `glow` for images. */
export interface GlowImageOptions extends ImageCouplingRecipeOptions {
  /** The number of steps per level. A step is an actnorm, an invertible 1x1 convolution and a coupling. Default 8. */
  steps?: number | undefined;
}

/** Options of `realNVP` for images. By default its networks have two residual blocks. */
export interface RealNVPImageOptions extends ImageCouplingRecipeOptions {
  /** K: each level has K couplings with checkerboard masks and K couplings with channel masks. Default 3. */
  steps?: number | undefined;
  /** Whether there is a batch normalization of each channel after each coupling, as in the paper. Default true. */
  batchNorm?: boolean | undefined;
}

const glowSchema = z
  .strictObject({ ...imageCouplingFields, steps: z._default(layerSchemas.transforms, 8) })
  .check(isSqueezable);

const realNVPSchema = z
  .strictObject({
    ...imageCouplingFields,
    block: z._default(imageCouplingFields.block, "residual"),
    blocks: z._default(imageCouplingFields.blocks, 2),
    steps: z._default(layerSchemas.transforms, 3),
    batchNorm: z._default(z.boolean(), true),
  })
  .check(
    isSqueezable,
    z.refine(({ image, levels }) => image[0] * image[1] > 4 ** levels, {
      path: ["levels"],
      error: "more than one pixel after the last level, which has a checkerboard mask",
    }),
  );

/** The options that all couplings of a recipe share. */
type CouplingSettings = Pick<ImageCouplingOptions, "transform" | "network">;

const couplingSettings = ({
  block,
  width,
  blocks,
  activation,
  weightNorm,
  transform,
}: ConvNetOptions & { transform: unknown }): CouplingSettings => {
  registerAllScalarTransforms();
  return {
    network: { block, width, blocks, activation, weightNorm },
    transform: transform as CouplingSettings["transform"],
  };
};

/**
 * Glow for images (Kingma and Dhariwal 2018). Each level is a squeeze and `steps` of actnorm, invertible 1x1 convolution and
 * coupling. It then factors out half of the channels, with a learned Gaussian prior given the other channels. With classes, the
 * prior of the last level depends on the class. The masks of the couplings alternate, and the 1x1 convolutions start as the
 * identity.
 */
export function glowOfImages(options: GlowImageOptions): Flow {
  const parsed = parse(glowSchema, options, "an option of glow");
  const { image, levels, steps, classes, seed } = parsed;
  const settings = couplingSettings(parsed);
  const level = (l: number, image: ImageShape): Bijection[] => {
    const random = new Random(seed).split("recipe").split(l);
    const squeeze = new Squeeze({ image });
    const { squeezed } = squeeze;
    const channels = squeezed[2];
    const layers = Array.from({ length: steps }, (_, i) => [
      new PerPixel({ image: squeezed, bijection: new Actnorm({ features: channels }) }),
      new PerPixel({ image: squeezed, bijection: new LULinear({ features: channels }) }),
      new ImageCoupling({ image: squeezed, inverted: i % 2 === 1, ...settings }, random.split(i)),
    ]).flat();
    const last =
      l === levels
        ? topPrior(imageSize(squeezed), classes, random)
        : [
            new ImageCoupling({ image: squeezed, network: settings.network }, random.split("prior")),
            furtherLevels(squeezed, (half) => level(l + 1, half)),
          ];
    return [squeeze, ...layers, ...last];
  };
  return imageFlow(parsed, level(1, image));
}

/**
 * RealNVP for images (Dinh et al. 2017). Each level has couplings with checkerboard masks, a squeeze and couplings with channel
 * masks, and factors out half of the channels. `steps` + 1 couplings with checkerboard masks follow the last level. With classes, the
 * latent variables of these couplings have a mean and a scale for each class. Additive couplings preserve volume, so they are followed by a
 * diagonal scaling of the latent variables, as in NICE.
 */
export function realNVPOfImages(options: RealNVPImageOptions): Flow {
  const parsed = parse(realNVPSchema, options, "an option of realNVP");
  const { image, levels, steps, classes, seed, batchNorm } = parsed;
  const settings = couplingSettings(parsed);
  const level = (l: number, image: ImageShape): Bijection[] => {
    const random = new Random(seed).split("recipe").split(l);
    const couplings = (mask: "checkerboard" | "channels", image: ImageShape, count: number) =>
      Array.from({ length: count }, (_, i) => [
        new ImageCoupling({ image, mask, inverted: i % 2 === 1, ...settings }, random.split(mask).split(i)),
        ...(batchNorm ? [new PerPixel({ image, bijection: new BatchNorm({ features: image[2] }) })] : []),
      ]).flat();
    if (l > levels)
      return [...couplings("checkerboard", image, steps + 1), ...topPrior(imageSize(image), classes, random)];
    const squeeze = new Squeeze({ image });
    const { squeezed } = squeeze;
    return [
      ...couplings("checkerboard", image, steps),
      squeeze,
      ...couplings("channels", squeezed, steps),
      furtherLevels(squeezed, (half) => level(l + 1, half)),
    ];
  };
  const isAdditive = options.transform?.type === "additive";
  const scaling = isAdditive ? [new DiagonalScaling({ features: imageSize(image) })] : [];
  return imageFlow(parsed, [...level(1, image), ...scaling]);
}

/** Factors out half of the channels, rounded up; the others go through further levels. */
function furtherLevels(image: ImageShape, levels: (image: ImageShape) => readonly Bijection[]): FactorOut {
  const [height, width, channels] = image;
  const fromDataToBase = levels([height, width, Math.floor(channels / 2)]);
  return new FactorOut({ image, bijection: Chain.joined(fromDataToBase.toReversed()) });
}

/** The prior of the last level: an affine map of standard normal variables, with a mean and a scale for each class. */
function topPrior(features: number, classes: number | undefined, random: Random): Bijection[] {
  if (classes === undefined) return [];
  const mask = new Array<boolean>(features).fill(false);
  return [new Coupling({ mask, context: classes, network: { hidden: [] } }, random.split("classes"))];
}
