import type { Description } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection } from "./bijection.ts";
import { bijectionRegistry } from "./build.ts";
import { bijectionKinds } from "./registry.ts";
import { registerAllScalarTransforms } from "./scalar/registerAll.ts";

/**
 * Builds a bijection from its description; `random` draws the initial weights.
 *
 * Throws `MODEL` with the path of the field if the description is not valid.
 */
export function buildBijection(description: Description, random: Random): Bijection {
  registerAllScalarTransforms();
  bijectionRegistry.add(bijectionKinds);
  return bijectionRegistry.build(description, random);
}
