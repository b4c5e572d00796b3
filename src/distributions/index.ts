export type { BernoulliOptions } from "./bernoulli.ts";
export type { DistributionDescription } from "./build.ts";
export { buildDistribution } from "./buildDistribution.ts";
export type { Builders, CustomDescription } from "./customKinds.ts";
export type { DequantizedOptions } from "./dequantized.ts";
export type { DiscretizedLogisticOptions } from "./discretizedLogistic.ts";
export type { Atoms, FitDistribution, Noise } from "./distribution.ts";
export {
  type FitGaussianMixtureOptions,
  type FitGaussianMixtureResult,
  fitGaussianMixture,
} from "./expectationMaximization.ts";
export type { ColumnHeadOptions } from "../tables/densities/heads/columnHead.ts";
export { quantileKnots } from "../tables/densities/heads/quantileKnots.ts";
export type { Knots } from "../tables/densities/heads/quantileMap.ts";
export type { KernelDensityOptions } from "../tables/densities/kernelDensity.ts";
export type { LatentClassesOptions } from "../tables/densities/latentClasses.ts";
export type { MadeOptions } from "./made.ts";
export * from "./mainExports.ts";
export type { MixedGaussianMixtureOptions } from "../tables/densities/mixedGaussianMixture.ts";
export type { MixedMadeOptions } from "../tables/densities/mixedMade.ts";
export type { MixtureOptions } from "./mixture.ts";
export type { ResampledOptions } from "./resampled.ts";
export {
  isSubsetDistribution,
  knownFeatures,
  type Subset,
  type SubsetDistribution,
} from "./subsetDistribution.ts";
export type { VariationalAutoencoderOptions } from "./variationalAutoencoder.ts";
