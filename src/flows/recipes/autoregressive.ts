import { Autoregressive } from "../../bijections/autoregressive.ts";
import type { Bijection } from "../../bijections/bijection.ts";
import { Invert } from "../../bijections/invert.ts";
import { identityOrder, randomOrder, reverseOrder } from "../../bijections/permutation.ts";
import type { ScalarTransformOptions } from "../../bijections/scalar/registry.ts";
import type { Flow } from "../flow.ts";
import { layerSeed, layers, network, type RecipeOptions } from "./layers.ts";
import { checkedByPart, type Fields, recipeCheck, recipeFields } from "./options.ts";

export interface MAFOptions extends RecipeOptions {
  /** `separate`: a network for each parameter of each feature. Default `masked`. */
  conditioner?: "masked" | "separate";
}

const fields = {
  ...recipeFields,
  conditioner: checkedByPart,
} satisfies Fields<MAFOptions>;

const checkMaf = recipeCheck("maf", fields);
const checkIaf = recipeCheck("iaf", fields);

/** Masked autoregressive flow (Papamakarios et al. 2017): its density is one pass. */
export function maf(features: number, options: MAFOptions = {}): Flow {
  checkMaf(features, options);
  return autoregressive(features, { type: "affine" }, options);
}

/** Inverse autoregressive flow (Kingma et al. 2016): MAF turned around, so that drawing is one pass. */
export function iaf(features: number, options: MAFOptions = {}): Flow {
  checkIaf(features, options);
  return autoregressive(features, { type: "affine" }, options, (bijection) => new Invert(bijection));
}

export function autoregressive(
  features: number,
  transform: ScalarTransformOptions,
  options: MAFOptions,
  turn = (bijection: Bijection) => bijection,
): Flow {
  return layers(features, options, (i, random) => {
    const { ordering = "alternating", context = 0, conditioner, orders = 1, seed = 0 } = options;
    const alternating = i % 2 === 0 ? identityOrder(features) : reverseOrder(features);
    const order = ordering === "random" ? randomOrder(features, random.split("order")) : alternating;
    const several = orders > 1 ? { orders, seed: layerSeed(seed, i) } : {};
    const shape = { order, transform, context, conditioner, network: network(options), ...several };
    return turn(new Autoregressive(shape, random));
  });
}
