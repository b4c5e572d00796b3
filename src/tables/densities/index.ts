/** Densities that only tables use: heads of columns, kernel densities, latent classes, and conditional draws. */

export { ConditionalRows } from "./conditionalRows.ts";
export { ConstantFeatures } from "./constantFeatures.ts";
export { hasExactConditionals, withExactConditionals } from "./exactConditionals.ts";
export { FULL_SHRINKAGE, fitCorrelatedKernels } from "./fitCorrelatedKernels.ts";
export { chooseMixedGaussianMixture } from "./fitMixedGaussianMixture.ts";
export type { ColumnHeadOptions } from "./heads/columnHead.ts";
export { LINEAR_SCORE_BOUND } from "./heads/isolatedAtoms.ts";
export { type QuantileKnotsOptions, quantileKnots } from "./heads/quantileKnots.ts";
export type { Knots } from "./heads/quantileMap.ts";
export { KERNEL_WIDTHS } from "./kernelCovariance.ts";
export { KernelDensity, type KernelDensityOptions } from "./kernelDensity.ts";
export { LatentClasses, type LatentClassesOptions } from "./latentClasses.ts";
export { loadOnDemand } from "./loadOnDemand.ts";
export { MixedGaussianMixture, type MixedGaussianMixtureOptions } from "./mixedGaussianMixture.ts";
export { MixedMade, type MixedMadeOptions } from "./mixedMade.ts";
export { registerTableDensities } from "./registry.ts";
export { groupBy, notMissing, type PartialRows } from "./selectedRows.ts";
