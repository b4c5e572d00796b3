import * as z from "zod/mini";
import { identityOrder, randomOrder } from "../../bijections/permutation.ts";
import { Ensemble } from "../../distributions/ensemble.ts";
import { Made, type MadeOptions } from "../../distributions/made.ts";
import type { NetworkOptions } from "../../nn/mlp.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import { network } from "./layers.ts";
import { checkedByPart, type Fields, layerFields, networkFields, recipeCheck } from "./options.ts";

export interface MadeFlowOptions
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

const check = recipeCheck("madeFlow", {
  ...networkFields,
  context: layerFields.context,
  seed: layerFields.seed,
  ordering: z.enum(["natural", "random"]),
  outputs: checkedByPart,
  components: checkedByPart,
  hiddenOrder: checkedByPart,
  direct: checkedByPart,
  masks: checkedByPart,
  orderAgnostic: checkedByPart,
} satisfies Fields<MadeFlowOptions>);

/**
 * MADE as a density model (Germain et al. 2015), with no bijection: `bernoulli` outputs for binary data. With several `masks`
 * it is the ensemble over them.
 */
export function madeFlow(features: number, options: MadeFlowOptions = {}): Flow {
  check(features, options);
  const { ordering = "natural", hidden, activation, residual, seed = 0, ...rest } = options;
  const random = new Random(seed).split("recipe");
  const order =
    ordering === "random" ? randomOrder(features, random.split("order")) : identityOrder(features);
  const description = { order, seed, network: network({ hidden, activation, residual }), ...rest };
  const model = new Made(description, random);
  return new Flow(rest.masks && rest.masks > 1 ? new Ensemble(model, { variants: rest.masks }) : model);
}
