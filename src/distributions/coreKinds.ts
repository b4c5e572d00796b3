import { gaussianMixtureKind } from "./gaussianMixture.ts";
import { standardNormalKind } from "./standardNormal.ts";
import { transformedDistributionKind } from "./transformedDistribution.ts";

/**
 * The kinds of `fitFlows` for tables without constant columns, and of the bases of most recipes. A page that loads a model ships the code
 * of these kinds. It loads the code of another kind of registry.ts only if a model has one.
 */
export const coreDistributionKinds = [
  gaussianMixtureKind,
  standardNormalKind,
  transformedDistributionKind,
] as const;
