import { Residual, type ResidualOptions } from "../../bijections/index.ts";
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
  hidden?: number[] | undefined;
  /** Bound of the Lipschitz constant of g, in (0, 0.99]. Default 0.9. */
  lipschitz?: number | undefined;
}

const check = optionChecker("residualFlow", {
  ...layerSchemas,
  hidden: networkSchemas.hidden,
  lipschitz: checkedByConstructor,
  trace: checkedByConstructor,
} satisfies OptionSchemas<ResidualFlowOptions>);

/**
 * Residual flow (Behrmann et al. 2019, "Invertible residual networks"; Chen et al. 2019, "Residual flows for invertible generative
 * modeling") of rows [N, D], where D is `features`. Each layer is z = x + g(x), where g is a network with a Lipschitz constant of at most
 * `lipschitz`. Sampling inverts it by fixed-point iteration. See `Residual`.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as `lipschitz` outside of (0, 0.99];
 *   SHAPE if `base` and the layers differ in features or context.
 */
export function residualFlow(features: number, options: ResidualFlowOptions = {}): Flow {
  check(features, options);
  const { context = 0, hidden, lipschitz, trace } = options;
  return layeredFlow(
    features,
    options,
    (_, random) => new Residual({ features, context, hidden, lipschitz, trace }, random),
  );
}
