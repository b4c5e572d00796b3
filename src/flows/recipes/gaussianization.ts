import { Chain } from "../../bijections/chain.ts";
import { Elementwise } from "../../bijections/elementwise.ts";
import { Householder } from "../../bijections/householder.ts";
import type { Flow } from "../flow.ts";
import { layers, type OwnRecipeOptions } from "./layers.ts";

export interface GaussianizationRecipeOptions extends Omit<OwnRecipeOptions, "context"> {
  /** Normal distributions in each mixture. Default 8. */
  components?: number;
}

/** Gaussianization flow: rotations, and mixtures made normal feature by feature (Meng et al. 2020). */
export function gaussianization(features: number, options: GaussianizationRecipeOptions = {}): Flow {
  const { components = 8 } = options;
  return layers(features, options, (_, random) => {
    const marginals = new Elementwise({ features, transform: { type: "gaussianization", components } });
    return new Chain([marginals, new Householder({ features }, random)]);
  });
}
