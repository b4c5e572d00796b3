import {
  Chain,
  Elementwise,
  gaussianizationKind,
  Householder,
  scalarTransformRegistry,
} from "../../bijections/index.ts";
import type { Flow } from "../flow.ts";
import { type LayerRecipeOptions, layeredFlow } from "./layers.ts";
import { checkedByConstructor, layerSchemas, type OptionSchemas, optionChecker } from "./options.ts";

/** Options of `gaussianization`. */
export interface GaussianizationOptions extends Omit<LayerRecipeOptions, "context"> {
  /** Number of components of each mixture. Default 8. */
  components?: number | undefined;
}

const check = optionChecker("gaussianization", {
  transforms: layerSchemas.transforms,
  base: layerSchemas.base,
  seed: layerSchemas.seed,
  components: checkedByConstructor,
} satisfies OptionSchemas<GaussianizationOptions>);

/** Standard deviation of the initial parameters of the mixtures. */
const INITIAL_DEVIATION = 0.1;

/**
 * Gaussianization flow (Meng et al. 2020, "Gaussianization flows") of rows [N, D], where D is `features`. Each layer is z_i = T_i(y_i)
 * with y = x Q: a rotation Q, which is a product of Householder reflections, and a map T_i(y) = (1 - e) Phi^-1(F_i(y)) + e y of each
 * feature with e = 1/1000, where F_i is the distribution function of a mixture of normal distributions. It is initialized near the
 * identity, but not as the identity: where all components are equal, the likelihood has a saddle point that training does not leave.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the layers differ in
 *   features.
 */
export function gaussianization(features: number, options: GaussianizationOptions = {}): Flow {
  check(features, options);
  const { components = 8 } = options;
  scalarTransformRegistry.add([gaussianizationKind]);
  return layeredFlow(features, options, (_, random) => {
    const marginals = new Elementwise({ features, transform: { type: "gaussianization", components } });
    const { raw } = marginals;
    const start = random.split("components").normal(new Float32Array(raw.value.length));
    raw.value = start.map((u) => INITIAL_DEVIATION * u);
    return new Chain([marginals, new Householder({ features }, random)]);
  });
}
