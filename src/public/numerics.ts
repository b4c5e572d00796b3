/** `pushforward/numerics`: root finding, integration and special functions of tensors. */

export {
  cholesky,
  type IntegrateOptions,
  integrate,
  logGamma,
  solveIncreasing,
  solveLower,
  type VectorField,
} from "../graph/index.ts";
