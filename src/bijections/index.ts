export { Actnorm } from "./actnorm.ts";
export { Autoregressive, type AutoregressiveOptions } from "./autoregressive.ts";
export { BatchNorm, type BatchNormOptions } from "./batchNorm.ts";
export type {
  Bijection,
  DataRows,
  Description,
  FitToRows,
  Transformed,
  VelocityField,
} from "./bijection.ts";
export { BlockAutoregressive, type BlockAutoregressiveOptions } from "./blockAutoregressive.ts";
export { type BijectionDescription, bijectionSchema, buildBijection } from "./build.ts";
export { Chain } from "./chain.ts";
export { type CheckBijectionOptions, checkBijection } from "./checkBijection.ts";
export { Continuous, type ContinuousOptions } from "./continuous.ts";
export { alternatingMask, Coupling, type CouplingOptions, randomMask } from "./coupling.ts";
export { DiagonalScaling } from "./diagonalScaling.ts";
export { Elementwise, type ElementwiseOptions } from "./elementwise.ts";
export { Exp } from "./exp.ts";
export { Householder, type HouseholderOptions } from "./householder.ts";
export { Identity } from "./identity.ts";
export { Invert } from "./invert.ts";
export { LULinear, type LULinearOptions } from "./luLinear.ts";
export { MatrixExponential } from "./matrixExponential.ts";
export { Ordered } from "./ordered.ts";
export type { OuterStandardization } from "./outerStandardization.ts";
export type { Part } from "./parts.ts";
export { identityOrder, Permutation, randomOrder, reverseOrder } from "./permutation.ts";
export { Planar, type PlanarOptions } from "./planar.ts";
export { Power } from "./power.ts";
export { QRLinear, type QRLinearOptions } from "./qrLinear.ts";
export { Radial, type RadialOptions } from "./radial.ts";
export { RealNVPCoupling, type RealNVPCouplingOptions } from "./realNVPCoupling.ts";
export { Residual, type ResidualOptions } from "./residual.ts";
export type { ScalarTransformOptions } from "./scalar/options.ts";
export type { ScalarTransform, ScalarTransformed } from "./scalar/scalarTransform.ts";
export { Sigmoid } from "./sigmoid.ts";
export { SinhArcsinh } from "./sinhArcsinh.ts";
export { Softplus } from "./softplus.ts";
export { Softsign } from "./softsign.ts";
export { Standardize } from "./standardize.ts";
export { StandardizeContext } from "./standardizeContext.ts";
export { StickBreaking } from "./stickBreaking.ts";
export type { Support } from "./support.ts";
export { Sylvester, type SylvesterOptions } from "./sylvester.ts";
export { Tails } from "./tails.ts";
export { Tanh } from "./tanh.ts";
