import { bijectionKinds, bijectionRegistry, registerAllScalarTransforms } from "../bijections/index.ts";
import { distributionRegistry } from "./build.ts";
import { distributionKinds } from "./registry.ts";

/** Adds all bijections, scalar transforms and distributions of pushforward to the registries that build descriptions. */
export function registerAllKinds(): void {
  registerAllScalarTransforms();
  bijectionRegistry.add(bijectionKinds);
  distributionRegistry.add(distributionKinds);
}
