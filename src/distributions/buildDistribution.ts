import type { Description } from "../parts/description.ts";
import type { Random } from "../random/index.ts";
import { distributionRegistry } from "./build.ts";
import type { Distribution } from "./distribution.ts";
import { registerAllKinds } from "./registerAllKinds.ts";

/**
 * Builds a distribution from its description. `random` draws the initial parameters.
 *
 * Throws `MODEL`, with the path of the field, if the description is invalid.
 */
export function buildDistribution(description: Description, random: Random): Distribution {
  registerAllKinds();
  return distributionRegistry.build(description, random);
}
