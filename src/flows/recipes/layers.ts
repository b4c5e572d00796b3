import { BatchNorm, type Bijection, Chain } from "../../bijections/index.ts";
import { type Distribution, Ensemble, StandardNormal } from "../../distributions/index.ts";
import type { NetworkOptions } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";

/** The options that all recipes share. */
export interface RecipeOptions extends NetworkOptions {
  /** Number of context features C; the flow is then p(x | context). Default 0. */
  context?: number | undefined;
  /** Number of layers. Default 5; NICE: 4, block autoregressive flows: 1, Sylvester flows: 8, planar and radial flows: 32. */
  transforms?: number | undefined;
  /** How the ordering (autoregressive) or the mask (coupling) changes from layer to layer. Default `alternating`. */
  ordering?: "alternating" | "random" | undefined;
  /**
   * Number of orderings (autoregressive) or masks (coupling) of each layer, which share its weights. Training batches
   * use them one after the other. Default 1.
   */
  orders?: number | undefined;
  /**
   * Whether the density is the mean of the densities of all `orders` instead of the density of the first one. Has no effect without
   * several `orders`. Default false.
   */
  ensemble?: boolean | undefined;
  /** Whether there is a batch normalization after each layer on the side of the base. Default false. */
  batchNorm?: boolean | undefined;
  /** Base distribution. Default standard normal; NICE: logistic, NCSF: uniform on [-pi, pi]. */
  base?: Distribution | undefined;
  /** Seed of orderings, masks and initial weights. Default 0. */
  seed?: number | undefined;
}

/** The options of recipes without a conditioner. */
export type LayerRecipeOptions = Pick<RecipeOptions, "context" | "transforms" | "base" | "seed">;

/** A flow whose bijection is a chain of layers. Layer 0 is next to the data, and `baseSide` is next to the base. */
export function layeredFlow(
  features: number,
  options: RecipeOptions,
  layer: (index: number, random: Random) => Bijection,
  baseSide: readonly Bijection[] = [],
): Flow {
  const { transforms = 5, seed = 0, base = new StandardNormal({ features }), batchNorm = false } = options;
  const random = new Random(seed).split("recipe");
  const fromDataToBase = Array.from({ length: transforms }, (_, i) => [
    layer(i, random.split(i)),
    ...(batchNorm ? [new BatchNorm({ features })] : []),
  ]).flat();
  const flow = new Flow(base, new Chain([...baseSide, ...fromDataToBase.reverse()]));
  const { orders = 1, ensemble = false } = options;
  return ensemble && orders > 1 ? new Flow(new Ensemble(flow, { variants: orders })) : flow;
}

/**
 * A different seed for each layer, so that layers have different orderings: 1000 seed + layer, modulo 2^53 so that it is a safe integer.
 */
export const layerSeed = (seed: number, layer: number): number =>
  Number(BigInt.asUintN(53, 1000n * BigInt(seed) + BigInt(layer)));

export const networkOptions = ({ hidden, activation, residual }: NetworkOptions): NetworkOptions => ({
  ...(hidden && { hidden }),
  ...(activation && { activation }),
  ...(residual !== undefined && { residual }),
});
