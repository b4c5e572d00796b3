import {
  Autoregressive,
  type Bijection,
  Invert,
  identityOrder,
  randomOrder,
  reverseOrder,
  type ScalarTransformOptions,
} from "../../bijections/index.ts";
import type { Flow } from "../flow.ts";
import { layeredFlow, layerSeed, networkOptions, type RecipeOptions } from "./layers.ts";
import { checkedByConstructor, type OptionSchemas, optionChecker, recipeSchemas } from "./options.ts";

/** Options of `maf` and `iaf`. */
export interface MAFOptions extends RecipeOptions {
  /** `masked`: one masked network (MADE). `separate`: one network for each parameter of each feature. Default `masked`. */
  conditioner?: "masked" | "separate" | undefined;
}

const fields = {
  ...recipeSchemas,
  conditioner: checkedByConstructor,
} satisfies OptionSchemas<MAFOptions>;

const checkMaf = optionChecker("maf", fields);
const checkIaf = optionChecker("iaf", fields);

/**
 * Masked autoregressive flow (Papamakarios et al. 2017, "Masked autoregressive flow for density estimation") of rows [N, D], where D is
 * `features`. Each layer is z_i = x_i exp(a_i) + b_i, where a masked network computes a_i, which is clamped smoothly to +-log 1000, and
 * b_i from x_1 ... x_i-1 and the context. The density takes one pass of each network.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as `orders` above 1 with separate networks;
 *   SHAPE if `base` and the layers differ in features or context.
 */
export function maf(features: number, options: MAFOptions = {}): Flow {
  checkMaf(features, options);
  return autoregressive(features, { type: "affine" }, options);
}

/**
 * Inverse autoregressive flow (Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow"): each layer is the
 * inverse of a layer of `maf`, x_i = z_i exp(a_i) + b_i, where a_i and b_i are functions of z_1 ... z_i-1 and the context. Sampling
 * takes one pass of each network; the density computes one feature after the other.
 *
 * @throws ARGUMENT and SHAPE as `maf` does.
 */
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
