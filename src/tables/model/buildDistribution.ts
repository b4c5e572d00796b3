import { type Distribution, distributionRegistry } from "../../distributions/index.ts";
import type { Description } from "../../parts/index.ts";
import type { Random } from "../../random/index.ts";
import { registerTableDensities } from "../densities/index.ts";

/**
 * Builds a distribution from its description. `random` draws the initial parameters.
 *
 * Throws `MODEL`, with the path of the field, if the description is invalid.
 */
export function buildDistribution(description: Description, random: Random): Distribution {
  registerTableDensities();
  return distributionRegistry.build(description, random);
}
