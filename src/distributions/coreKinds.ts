import { standardNormalKind } from "./standardNormal.ts";
import { transformedDistributionKind } from "./transformedDistribution.ts";

/**
 * The kinds of most recipes. A page that loads a model ships the code of these kinds. It loads the code of another kind of registry.ts only
 * if a model has one.
 */
export const coreDistributionKinds = [standardNormalKind, transformedDistributionKind] as const;
