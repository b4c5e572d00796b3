import { Autoregressive } from "../../bijections/autoregressive.ts";
import type { Bijection } from "../../bijections/bijection.ts";
import { Invert } from "../../bijections/invert.ts";
import { identityOrder, randomOrder, reverseOrder } from "../../bijections/permutation.ts";
import type { ScalarTransformOptions } from "../../bijections/scalar/registry.ts";
import type { Flow } from "../flow.ts";
import { layeredFlow, layerSeed, networkOptions, type RecipeOptions } from "./layers.ts";
import { checkedByConstructor, type OptionSchemas, optionChecker, recipeSchemas } from "./options.ts";

/** Options of `maf` and `iaf`. */
export interface MAFOptions extends RecipeOptions {
  /** `masked`: one masked network (MADE). `separate`: one network for each parameter of each feature. Default `masked`. */
  conditioner?: "masked" | "separate";
}

const fields = {
  ...recipeSchemas,
  conditioner: checkedByConstructor,
} satisfies OptionSchemas<MAFOptions>;

const checkMaf = optionChecker("maf", fields);
const checkIaf = optionChecker("iaf", fields);

/** Masked autoregressive flow (Papamakarios et al. 2017). Its density takes one pass of each network. */
export function maf(features: number, options: MAFOptions = {}): Flow {
  checkMaf(features, options);
  return autoregressive(features, { type: "affine" }, options);
}

/** Inverse autoregressive flow (Kingma et al. 2016): the inverse of MAF, so that sampling takes one pass of each network. */
export function iaf(features: number, options: MAFOptions = {}): Flow {
  checkIaf(features, options);
  return autoregressive(features, { type: "affine" }, options, (bijection) => new Invert(bijection));
}

/** A flow of autoregressive layers with a scalar transform. `wrapLayer` is applied to each layer. */
export function autoregressive(
  features: number,
  transform: ScalarTransformOptions,
  options: MAFOptions,
  wrapLayer = (bijection: Bijection) => bijection,
): Flow {
  return layeredFlow(features, options, (i, random) => {
    const { ordering = "alternating", context = 0, conditioner, orders = 1, seed = 0 } = options;
    const alternating = i % 2 === 0 ? identityOrder(features) : reverseOrder(features);
    const order = ordering === "random" ? randomOrder(features, random.split("order")) : alternating;
    const orderOptions = orders > 1 ? { orders, seed: layerSeed(seed, i) } : {};
    const shape = {
      order,
      transform,
      context,
      conditioner,
      network: networkOptions(options),
      ...orderOptions,
    };
    return wrapLayer(new Autoregressive(shape, random));
  });
}
