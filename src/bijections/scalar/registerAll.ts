import { scalarTransformRegistry } from "./build.ts";
import { scalarTransformKinds } from "./registry.ts";

/**
 * Adds all scalar transforms of pushforward to the registry that builds them from options. The entry points that export bijections
 * call this when they are imported, recipes when they are called.
 */
export const registerAllScalarTransforms = (): void => scalarTransformRegistry.add(scalarTransformKinds);
