import * as z from "zod/mini";
import { Actnorm } from "../../bijections/actnorm.ts";
import type { Bijection } from "../../bijections/bijection.ts";
import { Chain } from "../../bijections/chain.ts";
import { alternatingMask, Coupling, randomMask } from "../../bijections/coupling.ts";
import { DiagonalScaling } from "../../bijections/diagonalScaling.ts";
import { LULinear } from "../../bijections/luLinear.ts";
import { RealNVPCoupling } from "../../bijections/realNVPCoupling.ts";
import type { ScalarTransformOptions } from "../../bijections/scalar/registry.ts";
import { Logistic } from "../../distributions/logistic.ts";
import { PushforwardError } from "../../errors.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { layerSeed, layers, network, type RecipeOptions } from "./layers.ts";
import { type Fields, recipeCheck, recipeFields } from "./options.ts";

export interface RealNVPOptions extends RecipeOptions {
  /**
   * `separate`: s and t of a RealNVP from a network each, s bounded by tanh with learned scales, as published. Default `shared`.
   */
  conditioner?: "shared" | "separate";
}

const realNVPFields = {
  ...recipeFields,
  conditioner: z.enum(["shared", "separate"]),
} satisfies Fields<RealNVPOptions>;

const checkNice = recipeCheck("nice", recipeFields satisfies Fields<RecipeOptions>);
const checkRealNVP = recipeCheck("realNVP", realNVPFields);
const checkGlow = recipeCheck("glow", recipeFields satisfies Fields<RecipeOptions>);

/**
 * NICE: additive couplings, which keep volumes, and a diagonal scaling, over a logistic base (Dinh et al. 2015).
 *
 * It starts near the identity and not as the identity: where all shifts are 0, the likelihood of symmetric data (a ring, a
 * circle of clusters) has a saddle that training does not leave.
 */
export function nice(features: number, options: RecipeOptions = {}): Flow {
  checkNice(features, options);
  const settings = { base: new Logistic({ features }), transforms: 4, ...options };
  const atBase = [new DiagonalScaling({ features })];
  const step = (coupling: Coupling, random: Random) => {
    const { weight } = coupling.network.layers.at(-1)!;
    const uniform = random.split("last layer").uniform(new Float32Array(weight.numbers.length));
    weight.take(uniform.map((u) => (2 * u - 1) / Math.sqrt(weight.sizes[0])));
    return coupling;
  };
  return couplings(features, { type: "additive" }, settings, { atBase, step });
}

/** RealNVP: affine couplings (Dinh et al. 2017). Both directions are one pass. */
export function realNVP(features: number, options: RealNVPOptions = {}): Flow {
  checkRealNVP(features, options);
  const { conditioner = "shared", context = 0 } = options;
  if (conditioner === "shared") return couplings(features, { type: "affine" }, options);
  if (options.orders !== undefined && options.orders > 1) {
    throw new PushforwardError("ARGUMENT", "a RealNVP of separate networks has one mask a layer", {
      hint: 'Leave out orders, or take the conditioner "shared".',
    });
  }
  const mask = masks(features, options);
  return layers(
    features,
    options,
    (i, random) => new RealNVPCoupling({ mask: mask(i), context, network: network(options) }, random),
  );
}

/**
 * Glow for vectors (Kingma and Dhariwal 2018): each layer an actnorm, an LU linear map of all features, and an affine
 * coupling. Masks alternate, so that it starts as the identity without the random permutations of the paper.
 */
export function glow(features: number, options: RecipeOptions = {}): Flow {
  checkGlow(features, options);
  const step = (coupling: Coupling) =>
    new Chain([coupling, new LULinear({ features }), new Actnorm({ features })]);
  return couplings(features, { type: "affine" }, options, { step });
}

/** `step` makes a layer of each coupling; `atBase` come between the layers and the base. */
export function couplings(
  features: number,
  transform: ScalarTransformOptions,
  options: RecipeOptions,
  {
    atBase = [],
    step = (coupling) => coupling,
  }: { atBase?: readonly Bijection[]; step?: (coupling: Coupling, random: Random) => Bijection } = {},
): Flow {
  const { context = 0, orders = 1, seed = 0 } = options;
  const mask = masks(features, options);
  return layers(
    features,
    options,
    (i, random) => {
      const several = orders > 1 ? { masks: orders, seed: layerSeed(seed, i) } : {};
      const shape = { mask: mask(i), transform, context, network: network(options), ...several };
      return step(new Coupling(shape, random), random);
    },
    atBase,
  );
}

/** What coupling i keeps. */
function masks(features: number, { ordering = "alternating", seed = 0 }: RecipeOptions) {
  const random = new Random(seed).split("masks");
  return (i: number): boolean[] => {
    const pair =
      ordering === "random"
        ? randomMask(features, random.split(Math.floor(i / 2)))
        : alternatingMask(features);
    // Two layers in a row change all features; a single one is changed by each.
    return features === 1 ? [false] : pair.map((keep) => keep === (i % 2 === 0));
  };
}
