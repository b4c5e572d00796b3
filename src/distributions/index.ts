/** Textbook distributions, and those that bijections transform. */

export { Bernoulli, type BernoulliOptions } from "./bernoulli.ts";
export { type DistributionDescription, distributionRegistry, distributionSchema } from "./build.ts";
export { Cauchy } from "./cauchy.ts";
export { checkResultShape } from "./checkResultShape.ts";
export { chooseComponent, MAX_UNIFORM } from "./chooseComponent.ts";
export {
  ContextEmbedding,
  type ContextEmbeddingOptions,
  contextEmbeddingSchema,
} from "./contextEmbedding.ts";
export { type Builders, type CustomDescription, type CustomKind, withCustomKinds } from "./customKinds.ts";
export { Dequantized, type DequantizedOptions } from "./dequantized.ts";
export { DiagonalNormal } from "./diagonalNormal.ts";
export { DiscretizedLogistic, type DiscretizedLogisticOptions } from "./discretizedLogistic.ts";
export {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type FitDistribution,
  HALF_LOG_2_PI,
  isMissing,
  type Noise,
  onSupport,
} from "./distribution.ts";
export { Ensemble } from "./ensemble.ts";
export {
  type FitGaussianMixtureOptions,
  type FitGaussianMixtureResult,
  fitGaussianMixture,
} from "./expectationMaximization.ts";
export { GaussianMixture } from "./gaussianMixture.ts";
export { GeneralizedNormal } from "./generalizedNormal.ts";
export { kMeans, MAX_NUMBERS } from "./kMeans.ts";
export { Laplace } from "./laplace.ts";
export { Logistic, logisticQuantile } from "./logistic.ts";
export { Made, type MadeOptions } from "./made.ts";
export { Mixture, type MixtureOptions } from "./mixture.ts";
export { PixelAutoregressive, type PixelAutoregressiveOptions } from "./pixelAutoregressive.ts";
export { registerAllKinds } from "./registerAllKinds.ts";
export { Resampled, type ResampledOptions } from "./resampled.ts";
export { selectDataRows, shuffledRows } from "./selectDataRows.ts";
export { StandardNormal } from "./standardNormal.ts";
export { StudentT } from "./studentT.ts";
export {
  asSubsetDistribution,
  drawEach,
  isSubsetDistribution,
  knownFeatures,
  knownValues,
  logPosterior,
  logUnknownPresent,
  rowSubsets,
  type Subset,
  type SubsetDistribution,
} from "./subsetDistribution.ts";
export { type Samples, TransformedDistribution } from "./transformedDistribution.ts";
export { Uniform } from "./uniform.ts";
export { VariationalAutoencoder, type VariationalAutoencoderOptions } from "./variationalAutoencoder.ts";
export { VonMises } from "./vonMises.ts";
export { wrappedStandardization } from "./wrappedStandardization.ts";
