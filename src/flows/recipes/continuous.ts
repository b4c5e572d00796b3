import { Continuous, type ContinuousOptions } from "../../bijections/continuous.ts";
import { StandardNormal } from "../../distributions/standardNormal.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import type { RecipeOptions } from "./layers.ts";
import { checkedByConstructor, type Fields, layerFields, networkFields, optionChecker } from "./options.ts";

/** Options of `cnf`. */
export interface CNFOptions
  extends Pick<RecipeOptions, "context" | "base" | "seed" | "hidden" | "activation">,
    Pick<ContinuousOptions, "frequencies" | "tolerance" | "trace"> {}

const check = optionChecker("cnf", {
  context: layerFields.context,
  base: layerFields.base,
  seed: layerFields.seed,
  hidden: networkFields.hidden,
  activation: networkFields.activation,
  frequencies: checkedByConstructor,
  tolerance: checkedByConstructor,
  trace: checkedByConstructor,
} satisfies Fields<CNFOptions>);

/**
 * Continuous normalizing flow (Chen et al. 2018; FFJORD: Grathwohl et al. 2019). `fit` trains it by maximum likelihood, or much
 * faster with `objective: "flowMatching"`. The default activation is silu.
 */
export function cnf(features: number, options: CNFOptions = {}): Flow {
  check(features, options);
  const { base = new StandardNormal({ features }), seed = 0, hidden, activation, ...rest } = options;
  const network = { ...(hidden && { hidden }), ...(activation && { activation }) };
  return new Flow(base, new Continuous({ features, network, ...rest }, new Random(seed).split("recipe")));
}
