/**
 * pushforward: normalizing flows, trained and run through ONNX Runtime, in Node and in a page.
 *
 * Here is what most programs need; the subpaths have the rest. Tables and pictures, which need Node, are in
 * `pushforward/data` and `pushforward/report`.
 */
export {
  Actnorm,
  Autoregressive,
  alternatingMask,
  BatchNorm,
  type Bijection,
  Chain,
  Continuous,
  Coupling,
  Identity,
  Invert,
  identityOrder,
  LULinear,
  Permutation,
  randomMask,
  randomOrder,
  reverseOrder,
  Standardize,
  StandardizeContext,
  Tails,
  type Transformed,
} from "./bijections/index.ts";
export {
  Cauchy,
  DiagonalNormal,
  type Distribution,
  Ensemble,
  GaussianMixture,
  GeneralizedNormal,
  Laplace,
  Logistic,
  Made,
  Mixture,
  StandardNormal,
  StudentT,
  TransformedDistribution,
  Uniform,
  VonMises,
} from "./distributions/index.ts";
export { type ErrorCode, PushforwardError } from "./errors.ts";
export {
  buildFlow,
  decodeModel,
  encodeModel,
  Flow,
  type FlowDescription,
  forTables,
  iaf,
  type MadeRecipeOptions,
  type Model,
  made,
  maf,
  mixture,
  nice,
  nsf,
  type RecipeOptions,
  realNVP,
  type SampleOptions,
  type SplineRecipeOptions,
} from "./flows/index.ts";
export {
  concat,
  constant,
  grad,
  input,
  jacobian,
  Parameter,
  stack,
  Tensor,
  valueAndGrad,
  vjp,
} from "./graph/index.ts";
export { Random } from "./random/index.ts";
export { compile } from "./runtime/index.ts";
export {
  type CheckpointStore,
  type DensityFit,
  type Epoch,
  type FitDensityOptions,
  type FitOptions,
  type FitResult,
  type FitTableOptions,
  type FittedTable,
  fit,
  fitDensity,
  fitTable,
  type Importance,
  importance,
  type TargetDensity,
} from "./train/index.ts";
