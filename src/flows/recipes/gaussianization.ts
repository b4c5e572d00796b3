import { Chain } from "../../bijections/chain.ts";
import { Elementwise } from "../../bijections/elementwise.ts";
import { Householder } from "../../bijections/householder.ts";
import type { Flow } from "../flow.ts";
import { layers, type OwnRecipeOptions } from "./layers.ts";
import { checkedByPart, type Fields, layerFields, recipeCheck } from "./options.ts";

export interface GaussianizationOptions extends Omit<OwnRecipeOptions, "context"> {
  /** Normal distributions in each mixture. Default 8. */
  components?: number;
}

const check = recipeCheck("gaussianization", {
  transforms: layerFields.transforms,
  base: layerFields.base,
  seed: layerFields.seed,
  components: checkedByPart,
} satisfies Fields<GaussianizationOptions>);

/** Deviation of the starting parameters of the mixtures. */
const START = 0.1;

/**
 * Gaussianization flow: rotations, and mixtures made normal feature by feature (Meng et al. 2020). It starts near the identity,
 * not as the identity: there components are equal, and the likelihood has a saddle that training does not leave.
 */
export function gaussianization(features: number, options: GaussianizationOptions = {}): Flow {
  check(features, options);
  const { components = 8 } = options;
  return layers(features, options, (_, random) => {
    const marginals = new Elementwise({ features, transform: { type: "gaussianization", components } });
    const { raw } = marginals;
    const start = random.split("components").normal(new Float32Array(raw.value.length));
    raw.value = start.map((u) => START * u);
    return new Chain([marginals, new Householder({ features }, random)]);
  });
}
