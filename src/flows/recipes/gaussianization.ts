import { Chain } from "../../bijections/chain.ts";
import { Elementwise } from "../../bijections/elementwise.ts";
import { Householder } from "../../bijections/householder.ts";
import { scalarTransformRegistry } from "../../bijections/scalar/build.ts";
import { gaussianizationKind } from "../../bijections/scalar/gaussianization.ts";
import type { Flow } from "../flow.ts";
import { type LayerRecipeOptions, layeredFlow } from "./layers.ts";
import { checkedByConstructor, layerSchemas, type OptionSchemas, optionChecker } from "./options.ts";

/** Options of `gaussianization`. */
export interface GaussianizationOptions extends Omit<LayerRecipeOptions, "context"> {
  /** Number of components of each mixture. Default 8. */
  components?: number;
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
 * Gaussianization flow (Meng et al. 2020): each layer is a rotation, and a map of each feature from a mixture to a normal
 * distribution. It is initialized near the identity, but not as the identity: where all components are equal, the likelihood has
 * a saddle point that training does not leave.
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
