import * as z from "zod/mini";
import { identityOrder, randomOrder } from "../../bijections/index.ts";
import { Ensemble, Made, type MadeOptions } from "../../distributions/index.ts";
import type { NetworkOptions } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import { networkOptions } from "./layers.ts";
import {
  checkedByConstructor,
  layerSchemas,
  networkSchemas,
  type OptionSchemas,
  optionChecker,
} from "./options.ts";

/** Options of `madeFlow`. */
export interface MadeFlowOptions
  extends NetworkOptions,
    Pick<
      MadeOptions,
      "outputs" | "components" | "hiddenOrder" | "direct" | "context" | "masks" | "orderAgnostic"
    > {
  /** The order of the features. Default `natural`: 0, 1, ... */
  ordering?: "natural" | "random" | undefined;
  /** Seed of orderings and initial weights. Default 0. */
  seed?: number | undefined;
}

const check = optionChecker("madeFlow", {
  ...networkSchemas,
  context: layerSchemas.context,
  seed: layerSchemas.seed,
  ordering: z.enum(["natural", "random"]),
  outputs: checkedByConstructor,
  components: checkedByConstructor,
  hiddenOrder: checkedByConstructor,
  direct: checkedByConstructor,
  masks: checkedByConstructor,
  orderAgnostic: checkedByConstructor,
} satisfies OptionSchemas<MadeFlowOptions>);

/**
 * MADE as a density model (Germain et al. 2015, "MADE: masked autoencoder for distribution estimation") of rows [N, D], without a
 * bijection: p(x) = prod_i p(x_i | x_1 ... x_i-1, context), where one masked network computes the parameters of all conditionals. Binary
 * data need `bernoulli` outputs. With several `masks`, the density is the mean over them.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid.
 */
export function madeFlow(features: number, options: MadeFlowOptions = {}): Flow {
  check(features, options);
  const { ordering = "natural", hidden, activation, residual, seed = 0, ...rest } = options;
  const random = new Random(seed).split("recipe");
  const order =
    ordering === "random" ? randomOrder(features, random.split("order")) : identityOrder(features);
  const description = { order, seed, network: networkOptions({ hidden, activation, residual }), ...rest };
  const model = new Made(description, random);
  return new Flow(rest.masks && rest.masks > 1 ? new Ensemble(model, { variants: rest.masks }) : model);
}
