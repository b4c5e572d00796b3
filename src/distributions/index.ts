export { buildDistribution, type DistributionDescription } from "./build.ts";
export { Cauchy } from "./cauchy.ts";
export { ConstantFeatures } from "./constantFeatures.ts";
export { ContextEmbedding, type ContextEmbeddingOptions } from "./contextEmbedding.ts";
export type { Builders, CustomDescription, CustomKind } from "./customKinds.ts";
export { DiagonalNormal } from "./diagonalNormal.ts";
export type { Distribution, FitDistribution, Noise } from "./distribution.ts";
export { Ensemble } from "./ensemble.ts";
export {
  type FitGaussianMixtureOptions,
  type FitGaussianMixtureResult,
  fitGaussianMixture,
} from "./expectationMaximization.ts";
export { GaussianMixture } from "./gaussianMixture.ts";
export { GeneralizedNormal } from "./generalizedNormal.ts";
export { Laplace } from "./laplace.ts";
export { Logistic } from "./logistic.ts";
export { Made, type MadeOptions } from "./made.ts";
export { Mixture, type MixtureOptions } from "./mixture.ts";
export { Resampled } from "./resampled.ts";
export { StandardNormal } from "./standardNormal.ts";
export { StudentT } from "./studentT.ts";
export { TransformedDistribution } from "./transformedDistribution.ts";
export { Uniform } from "./uniform.ts";
export { VonMises } from "./vonMises.ts";
