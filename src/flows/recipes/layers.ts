import { BatchNorm } from "../../bijections/batchNorm.ts";
import type { Bijection } from "../../bijections/bijection.ts";
import { Chain } from "../../bijections/chain.ts";
import type { Distribution } from "../../distributions/distribution.ts";
import { Ensemble } from "../../distributions/ensemble.ts";
import { StandardNormal } from "../../distributions/standardNormal.ts";
import type { NetworkOptions } from "../../nn/mlp.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";

/** What the recipes have in common. */
export interface RecipeOptions extends NetworkOptions {
  /** Number of context features C; the flow is then p(x | context). Default 0. */
  context?: number;
  /** Number of layers. Default 5, of NICE 4, of block autoregressive flows 1, of Sylvester flows 8, of planar and radial flows 32. */
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

/** What is common to flows without a conditioner. */
export type OwnRecipeOptions = Pick<RecipeOptions, "context" | "transforms" | "base" | "seed">;

/** A chain in which layer 0 is next to the data, and `atBase` next to the base. */
export function layers(
  features: number,
  options: RecipeOptions,
  layer: (index: number, random: Random) => Bijection,
  atBase: readonly Bijection[] = [],
): Flow {
  const { transforms = 5, seed = 0, base = new StandardNormal({ features }), batchNorm = false } = options;
  const random = new Random(seed).split("recipe");
  const fromData = Array.from({ length: transforms }, (_, i) => [
    layer(i, random.split(i)),
    ...(batchNorm ? [new BatchNorm({ features })] : []),
  ]).flat();
  const flow = new Flow(base, new Chain([...atBase, ...fromData.reverse()]));
  const { orders = 1, ensemble = false } = options;
  return ensemble && orders > 1 ? new Flow(new Ensemble(flow, { variants: orders })) : flow;
}

/** Layers draw different orders. */
export const layerSeed = (seed: number, layer: number) => 1000 * seed + layer;

export const network = ({ hidden, activation, residual }: RecipeOptions): NetworkOptions => ({
  ...(hidden && { hidden }),
  ...(activation && { activation }),
  ...(residual !== undefined && { residual }),
});
