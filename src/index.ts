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
  BlockAutoregressive,
  Chain,
  Coupling,
  Elementwise,
  Invert,
  identityOrder,
  LULinear,
  Permutation,
  Residual,
  randomMask,
  randomOrder,
  reverseOrder,
  Standardize,
  StandardizeContext,
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
  buildFlow,
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
  type Epoch,
  type FitOptions,
  type FitResult,
  type FitTableOptions,
  type FittedTable,
  fit,
  fitTable,
} from "./train/index.ts";
