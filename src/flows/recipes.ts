import { Autoregressive } from "../bijections/autoregressive.ts";
import { BatchNorm } from "../bijections/batchNorm.ts";
import type { Bijection } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import { alternatingMask, Coupling, randomMask } from "../bijections/coupling.ts";
import { Invert } from "../bijections/invert.ts";
import { identityOrder, randomOrder, reverseOrder } from "../bijections/permutation.ts";
import type { ScalarTransformOptions } from "../bijections/scalar/build.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Ensemble } from "../distributions/ensemble.ts";
import { Logistic } from "../distributions/logistic.ts";
import { Made, type MadeOptions } from "../distributions/made.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import type { NetworkOptions } from "../nn/mlp.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";

/** What the recipes have in common. */
export interface RecipeOptions extends NetworkOptions {
  /** Number of context features C; the flow is then p(x | context). Default 0. */
  context?: number;
  /** Number of layers. Default 5. */
  transforms?: number;
  /** How the order (autoregressive) or the mask (coupling) changes from layer to layer. Default `alternating`. */
  ordering?: "alternating" | "random";
  /**
   * M orders (autoregressive) or masks (coupling) of each layer that share its weights: every batch of a training draws one.
   * Default 1.
   */
  orders?: number;
  /** Gives the mean density over the `orders`, and not that of the first. Default false. */
  ensemble?: boolean;
  /** Puts a batch normalization between layers, and between the last one and the base. Default false. */
  batchNorm?: boolean;
  /** Default the standard normal; NICE has the logistic. */
  base?: Distribution;
  /** Seed of orders, masks and starting weights. Default 0. */
  seed?: number;
}

export interface SplineRecipeOptions extends RecipeOptions {
  /** Default `autoregressive`. */
  kind?: "coupling" | "autoregressive";
  /** Number of bins. Default 8. */
  bins?: number;
  /** The spline lives on [-bound, bound]. Default 5. */
  bound?: number;
}

export interface MadeRecipeOptions
  extends NetworkOptions,
    Pick<
      MadeOptions,
      "outputs" | "components" | "hiddenOrder" | "direct" | "context" | "masks" | "orderAgnostic"
    > {
  /** The order of the features. Default `natural`: 0, 1, ... */
  ordering?: "natural" | "random";
  /** Seed of orders and starting weights. Default 0. */
  seed?: number;
}

/** NICE: additive couplings, which keep volumes, over a logistic base (Dinh et al. 2015). */
export function nice(features: number, options: RecipeOptions = {}): Flow {
  return couplings(features, { type: "additive" }, { base: new Logistic({ features }), ...options });
}

/** RealNVP: affine couplings (Dinh et al. 2017). Both directions are one pass. */
export function realNVP(features: number, options: RecipeOptions = {}): Flow {
  return couplings(features, { type: "affine" }, options);
}

/** Masked autoregressive flow (Papamakarios et al. 2017): its density is one pass. */
export function maf(features: number, options: RecipeOptions = {}): Flow {
  return autoregressive(features, { type: "affine" }, options);
}

/** Inverse autoregressive flow (Kingma et al. 2016): MAF turned around, so that drawing is one pass. */
export function iaf(features: number, options: RecipeOptions = {}): Flow {
  return autoregressive(features, { type: "affine" }, options, (bijection) => new Invert(bijection));
}

/** Neural spline flow: rational-quadratic splines, autoregressive or in couplings (Durkan et al. 2019). */
export function nsf(features: number, options: SplineRecipeOptions = {}): Flow {
  const { kind = "autoregressive", bins = 8, bound = 5, ...rest } = options;
  const transform = { type: "rationalQuadraticSpline", bins, bound } as const;
  return kind === "coupling"
    ? couplings(features, transform, rest)
    : autoregressive(features, transform, rest);
}

/**
 * MADE as a density model (Germain et al. 2015), with no bijection: `bernoulli` outputs for binary data. With several `masks`
 * it is the ensemble over them.
 */
export function made(features: number, options: MadeRecipeOptions = {}): Flow {
  const { ordering = "natural", hidden, activation, residual, seed = 0, ...rest } = options;
  const random = new Random(seed).split("recipe");
  const order =
    ordering === "random" ? randomOrder(features, random.split("order")) : identityOrder(features);
  const description = { order, seed, network: network({ hidden, activation, residual }), ...rest };
  const model = new Made(description, random);
  return new Flow(rest.masks && rest.masks > 1 ? new Ensemble(model, { variants: rest.masks }) : model);
}

function couplings(features: number, transform: ScalarTransformOptions, options: RecipeOptions): Flow {
  const { ordering = "alternating", context = 0, seed = 0, orders: drawn = 1 } = options;
  const masks = new Random(seed).split("masks");
  return layers(features, options, (i, random) => {
    const pair =
      ordering === "random"
        ? randomMask(features, masks.split(Math.floor(i / 2)))
        : alternatingMask(features);
    // Two layers in a row change all features; a single one is changed by each.
    const mask = features === 1 ? [false] : pair.map((keep) => keep === (i % 2 === 0));
    const several = drawn > 1 ? { masks: drawn, seed: layerSeed(seed, i) } : {};
    return new Coupling({ mask, transform, context, network: network(options), ...several }, random);
  });
}

function autoregressive(
  features: number,
  transform: ScalarTransformOptions,
  options: RecipeOptions,
  turn = (bijection: Bijection) => bijection,
): Flow {
  return layers(features, options, (i, random) => {
    const { ordering = "alternating", context = 0, orders = 1, seed = 0 } = options;
    const alternating = i % 2 === 0 ? identityOrder(features) : reverseOrder(features);
    const order = ordering === "random" ? randomOrder(features, random.split("order")) : alternating;
    const several = orders > 1 ? { orders, seed: layerSeed(seed, i) } : {};
    const shape = { order, transform, context, network: network(options), ...several };
    return turn(new Autoregressive(shape, random));
  });
}

/** A chain in which layer 0 is next to the data. */
function layers(
  features: number,
  options: RecipeOptions,
  layer: (index: number, random: Random) => Bijection,
): Flow {
  const { transforms = 5, seed = 0, base = new StandardNormal({ features }), batchNorm = false } = options;
  const random = new Random(seed).split("recipe");
  const fromData = Array.from({ length: transforms }, (_, i) => [
    layer(i, random.split(i)),
    ...(batchNorm ? [new BatchNorm({ features })] : []),
  ]).flat();
  const flow = new Flow(base, new Chain(fromData.reverse()));
  const { orders = 1, ensemble = false } = options;
  return ensemble && orders > 1 ? new Flow(new Ensemble(flow.distribution, { variants: orders })) : flow;
}

/** Layers draw different orders. */
const layerSeed = (seed: number, layer: number) => 1000 * seed + layer;

const network = ({ hidden, activation, residual }: RecipeOptions): NetworkOptions => ({
  ...(hidden && { hidden }),
  ...(activation && { activation }),
  ...(residual !== undefined && { residual }),
});
