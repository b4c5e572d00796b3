import { Residual, type ResidualOptions } from "../../bijections/residual.ts";
import type { Flow } from "../flow.ts";
import { type LayerRecipeOptions, layeredFlow } from "./layers.ts";
import {
  checkedByConstructor,
  layerSchemas,
  networkSchemas,
  type OptionSchemas,
  optionChecker,
} from "./options.ts";

/** Options of `residualFlow`. */
export interface ResidualFlowOptions extends LayerRecipeOptions, Pick<ResidualOptions, "trace"> {
  /** Widths of the hidden layers. Default [64, 64]. */
  hidden?: number[];
  /** Bound of the Lipschitz constant of g, below 1. Default 0.9. */
  lipschitz?: number;
}

const check = optionChecker("residualFlow", {
  ...layerSchemas,
  hidden: networkSchemas.hidden,
  lipschitz: checkedByConstructor,
  trace: checkedByConstructor,
} satisfies OptionSchemas<ResidualFlowOptions>);

/** Residual flow (Behrmann et al. 2019; Chen et al. 2019): z = x + g(x) with a bounded Lipschitz constant of g. */
export function residualFlow(features: number, options: ResidualFlowOptions = {}): Flow {
  check(features, options);
  const { context = 0, hidden, lipschitz, trace } = options;
  return layeredFlow(
    features,
    options,
    (_, random) => new Residual({ features, context, hidden, lipschitz, trace }, random),
  );
}
