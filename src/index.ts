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
  type Bijection,
  Chain,
  Continuous,
  Coupling,
  DiagonalScaling,
  Householder,
  Invert,
  identityOrder,
  LULinear,
  MatrixExponential,
  Permutation,
  Planar,
  QRLinear,
  Radial,
  RealNVPCoupling,
  randomMask,
  randomOrder,
  reverseOrder,
  Standardize,
  StandardizeContext,
  Sylvester,
  Tails,
  type Transformed,
} from "./bijections/index.ts";
export {
  DiagonalNormal,
  type Distribution,
  GaussianMixture,
  Logistic,
  StandardNormal,
  StudentT,
  Uniform,
} from "./distributions/index.ts";
export { type ErrorCode, PushforwardError } from "./errors.ts";
export {
  type AutoregressiveRecipeOptions,
  buildFlow,
  type CouplingRecipeOptions,
  cnf,
  decodeModel,
  encodeModel,
  Flow,
  type FlowDescription,
  forTables,
  iaf,
  type Model,
  maf,
  nice,
  nsf,
  type PlanarRecipeOptions,
  planar,
  type RecipeOptions,
  radial,
  realNVP,
  type SampleOptions,
  type SplineRecipeOptions,
  type SylvesterRecipeOptions,
  sylvester,
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
