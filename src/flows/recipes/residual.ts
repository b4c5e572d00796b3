import { Residual, type ResidualOptions } from "../../bijections/residual.ts";
import type { Flow } from "../flow.ts";
import { layers, type OwnRecipeOptions } from "./layers.ts";
import { checkedByPart, type Fields, layerFields, networkFields, recipeCheck } from "./options.ts";

export interface ResidualFlowOptions extends OwnRecipeOptions, Pick<ResidualOptions, "trace"> {
  /** Widths of the hidden layers. Default [64, 64]. */
  hidden?: number[];
  /** Bound of the Lipschitz constant of g, below 1. Default 0.9. */
  lipschitz?: number;
}

const check = recipeCheck("residualFlow", {
  ...layerFields,
  hidden: networkFields.hidden,
  lipschitz: checkedByPart,
  trace: checkedByPart,
} satisfies Fields<ResidualFlowOptions>);

/** Residual flow: z = x + g(x) with a Lipschitz bound on g (Behrmann et al. 2019; Chen et al. 2019). */
export function residualFlow(features: number, options: ResidualFlowOptions = {}): Flow {
  check(features, options);
  const { context = 0, hidden, lipschitz, trace } = options;
  return layers(
    features,
    options,
    (_, random) => new Residual({ features, context, hidden, lipschitz, trace }, random),
  );
}
