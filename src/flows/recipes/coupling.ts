import * as z from "zod/mini";
import {
  Actnorm,
  additiveKind,
  alternatingMask,
  type Bijection,
  Chain,
  Coupling,
  type CouplingOptions,
  DiagonalScaling,
  LULinear,
  RealNVPCoupling,
  randomMask,
  type ScalarTransformOptions,
  scalarTransformRegistry,
} from "../../bijections/index.ts";
import { PushforwardError } from "../../check/index.ts";
import { Logistic } from "../../distributions/index.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { hasImage } from "./images.ts";
import { layeredFlow, layerSeed, networkOptions, type RecipeOptions } from "./layers.ts";
import {
  type GlowImageOptions,
  glowOfImages,
  type RealNVPImageOptions,
  realNVPOfImages,
} from "./multiScale.ts";
import { type NiceImageOptions, niceOfImages } from "./niceOfImages.ts";
import { type OptionSchemas, optionChecker, recipeSchemas } from "./options.ts";

/** Options of `realNVP`. */
export interface RealNVPOptions extends RecipeOptions {
  /**
   * `shared`: one network for s and t. `separate`: one network for each, with s bounded by tanh with learned scales, as in the
   * paper. Default `shared`.
   */
  conditioner?: "shared" | "separate" | undefined;
}

const realNVPSchemas = {
  ...recipeSchemas,
  conditioner: z.enum(["shared", "separate"]),
} satisfies OptionSchemas<RealNVPOptions>;

const checkNice = optionChecker("nice", recipeSchemas satisfies OptionSchemas<RecipeOptions>);
const checkRealNVP = optionChecker("realNVP", realNVPSchemas);
const checkGlow = optionChecker("glow", recipeSchemas satisfies OptionSchemas<RecipeOptions>);

/**
 * NICE (Dinh et al. 2015, "NICE: non-linear independent components estimation") of rows [N, D]: by default 4 additive couplings,
 * z_b = x_b + m(x_a) and z_a = x_a, which preserve volume; then the diagonal scaling z_i = x_i exp(-s_i), and a logistic base. With the
 * options of an image it has the architecture of the paper for MNIST.
 *
 * With a number of features, it is initialized near the identity, but not as the identity: where all shifts are 0, the likelihood of
 * symmetric data (a ring, a circle of clusters) has a saddle point that training does not leave.
 *
 * @throws ARGUMENT if `features` is not a positive integer, if an option is not valid, or for one feature without a context; SHAPE if
 *   `base` and the layers differ in features or context.
 */
export function nice(features: number | NiceImageOptions, options: RecipeOptions = {}): Flow {
  if (hasImage(features)) return niceOfImages({ ...features, ...options });
  checkNice(features, options);
  scalarTransformRegistry.add([additiveKind]);
  const { base = new Logistic({ features }), transforms = 4 } = options;
  const settings = { ...options, base, transforms };
  const baseSide = [new DiagonalScaling({ features })];
  const wrapCoupling = (coupling: Coupling, random: Random) => {
    const { weight } = coupling.network.layers.at(-1)!;
    const uniform = random.split("last layer").uniform(new Float32Array(weight.numbers.length));
    weight.take(uniform.map((u) => (2 * u - 1) / Math.sqrt(weight.sizes[0])));
    return coupling;
  };
  return couplings(features, { type: "additive" }, settings, { baseSide, wrapCoupling });
}

/**
 * RealNVP (Dinh et al. 2017, "Density estimation using Real NVP") of rows [N, D]: affine couplings, z_b = x_b exp(s) + t and z_a = x_a,
 * where a network computes s and t from x_a and the context. Both directions take one pass of each network. With the options of an image
 * it is the multi-scale flow of the paper, whose couplings have convolutional networks.
 *
 * @throws ARGUMENT if `features` is not a positive integer, if an option is not valid, such as `orders` above 1 with separate networks, for
 *   one feature without a context, and for an image whose height or width is not a multiple of 2^levels; SHAPE if `base` and the layers
 *   differ in features or context.
 */
export function realNVP(features: number | RealNVPImageOptions, options: RealNVPOptions = {}): Flow {
  if (hasImage(features)) return realNVPOfImages({ ...features, ...options });
  checkRealNVP(features, options);
  const { conditioner = "shared", context = 0 } = options;
  if (conditioner === "shared") return couplings(features, { type: "affine" }, options);
  if (options.orders !== undefined && options.orders > 1) {
    throw new PushforwardError("ARGUMENT", "a RealNVP with separate networks has only one mask per layer", {
      hint: 'Remove the option orders, or set conditioner to "shared".',
    });
  }
  const mask = masks(features, options);
  return layeredFlow(
    features,
    options,
    (i, random) => new RealNVPCoupling({ mask: mask(i), context, network: networkOptions(options) }, random),
  );
}

/**
 * Glow (Kingma and Dhariwal 2018, "Glow: generative flow with invertible 1x1 convolutions") of rows [N, D]. In the direction of the
 * density, each layer is an actnorm, y_i = (x_i - t_i) exp(-s_i); a linear map of all features in LU decomposition; and an affine coupling
 * (see `realNVP`). Masks alternate instead of the random permutations of the paper, so that it is initialized as the identity. With the
 * options of an image it is the multi-scale flow of the paper, whose couplings have convolutional networks.
 *
 * @throws ARGUMENT if `features` is not a positive integer, if an option is not valid, for one feature without a context, and for an image
 *   whose height or width is not a multiple of 2^levels; SHAPE if `base` and the layers differ in features or context.
 */
export function glow(features: number | GlowImageOptions, options: RecipeOptions = {}): Flow {
  if (hasImage(features)) return glowOfImages({ ...features, ...options });
  checkGlow(features, options);
  const wrapCoupling = (coupling: Coupling) =>
    new Chain([coupling, new LULinear({ features }), new Actnorm({ features })]);
  return couplings(features, { type: "affine" }, options, { wrapCoupling });
}

/** A flow of coupling layers. `wrapCoupling` makes a layer from each coupling; `baseSide` is between the layers and the base. */
export function couplings(
  features: number,
  transform: ScalarTransformOptions,
  options: RecipeOptions,
  {
    baseSide = [],
    wrapCoupling = (coupling) => coupling,
  }: {
    baseSide?: readonly Bijection[];
    wrapCoupling?: (coupling: Coupling, random: Random) => Bijection;
  } = {},
): Flow {
  const { context = 0, orders = 1, seed = 0 } = options;
  const mask = masks(features, options);
  return layeredFlow(
    features,
    options,
    (i, random) => {
      const couplingOptions: CouplingOptions = {
        mask: mask(i),
        transform,
        context,
        network: networkOptions(options),
        ...(orders > 1 && { masks: orders, seed: layerSeed(seed, i) }),
      };
      return wrapCoupling(new Coupling(couplingOptions, random), random);
    },
    baseSide,
  );
}

/** Returns a function of i for the mask of coupling i: true for the features that it does not change. */
function masks(features: number, { ordering = "alternating", seed = 0 }: RecipeOptions) {
  const random = new Random(seed).split("masks");
  return (i: number): boolean[] => {
    const pair =
      ordering === "random"
        ? randomMask(features, random.split(Math.floor(i / 2)))
        : alternatingMask(features);
    // Two consecutive layers together change all features. A single feature is changed by every layer.
    return features === 1 ? [false] : pair.map((keep) => keep === (i % 2 === 0));
  };
}
