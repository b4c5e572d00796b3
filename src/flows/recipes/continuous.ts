import { Continuous, type ContinuousOptions } from "../../bijections/index.ts";
import { StandardNormal } from "../../distributions/index.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import { networkOptions, type RecipeOptions } from "./layers.ts";
import {
  checkedByConstructor,
  layerSchemas,
  networkSchemas,
  type OptionSchemas,
  optionChecker,
} from "./options.ts";

/**
 * Options of `cnf`: context and base distribution, the seed of the initial weights, the network of the velocity (`hidden`, default
 * two layers of 64 units, and `activation`, default silu), and how the differential equation is solved, see `ContinuousOptions`. A
 * continuous flow is one map, so there are no options of layers.
 */
export interface CNFOptions
  extends Pick<RecipeOptions, "context" | "base" | "seed" | "hidden" | "activation">,
    Pick<ContinuousOptions, "frequencies" | "tolerance" | "trace"> {}

const check = optionChecker("cnf", {
  context: layerSchemas.context,
  base: layerSchemas.base,
  seed: layerSchemas.seed,
  hidden: networkSchemas.hidden,
  activation: networkSchemas.activation,
  frequencies: checkedByConstructor,
  tolerance: checkedByConstructor,
  trace: checkedByConstructor,
} satisfies OptionSchemas<CNFOptions>);

/**
 * Continuous normalizing flow (Chen et al. 2018, "Neural ordinary differential equations"; FFJORD: Grathwohl et al. 2019) of rows
 * [N, D], where D is `features`: x = y(1), where y solves dy/dt = v(t, y, context) with y(0) = z, and v is a network. See `Continuous`.
 *
 * `fit` trains it by maximum likelihood. With `objective: "flowMatching"` training is much faster: the network learns a given velocity by
 * regression, and the differential equation is not solved.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the map differ in features
 *   or context.
 */
export function cnf(features: number, options: CNFOptions = {}): Flow {
  check(features, options);
  const { base = new StandardNormal({ features }), seed = 0, hidden, activation, ...rest } = options;
  const network = networkOptions({ hidden, activation });
  // All recipes draw initial weights from this stream. Training and sampling have other streams, so that equal seeds do not give
  // equal numbers.
  const random = new Random(seed).split("recipe");
  return new Flow(base, new Continuous({ features, network, ...rest }, random));
}
