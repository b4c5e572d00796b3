export { buildDistribution, type DistributionDescription, distributionSchema } from "./build.ts";
export { DiagonalNormal } from "./diagonalNormal.ts";
export type { Distribution, Noise } from "./distribution.ts";
export { fitGaussianMixture, type MixtureFit, type MixtureOptions } from "./expectationMaximization.ts";
export { GaussianMixture } from "./gaussianMixture.ts";
export { Logistic } from "./logistic.ts";
export { StandardNormal } from "./standardNormal.ts";
export { StudentT } from "./studentT.ts";
export { Uniform } from "./uniform.ts";
