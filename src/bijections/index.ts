/** Invertible maps with their log-determinants: one concept, one file. */

export { Actnorm } from "./actnorm.ts";
export { Autoregressive, type AutoregressiveOptions } from "./autoregressive.ts";
export { BatchNorm, type BatchNormOptions } from "./batchNorm.ts";
export {
  type Bijection,
  contextFor,
  type DataRows,
  type FitToRows,
  type Transformed,
  type VelocityField,
} from "./bijection.ts";
export {
  type CheckRows,
  compileFloat32Checks,
  compileFloat64Checks,
  type Float32Checks,
  haveEqualGraphs,
  type RoundTrips,
} from "./bijectionGraphs.ts";
export { BlockAutoregressive, type BlockAutoregressiveOptions } from "./blockAutoregressive.ts";
export { type BijectionDescription, bijectionRegistry, bijectionSchema } from "./build.ts";
export { buildBijection } from "./buildBijection.ts";
export { Chain, relativeToData } from "./chain.ts";
export { ColumnScales } from "./columnScales.ts";
export { clampExponent } from "./constraint.ts";
export { Continuous, type ContinuousOptions } from "./continuous.ts";
export { alternatingMask, Coupling, type CouplingOptions, randomMask } from "./coupling.ts";
export { logAbsDeterminant } from "./determinant.ts";
export { DiagonalScaling } from "./diagonalScaling.ts";
export { Elementwise, type ElementwiseOptions } from "./elementwise.ts";
export { Exp } from "./exp.ts";
export { FactorOut, type FactorOutOptions } from "./factorOut.ts";
export { Householder, type HouseholderOptions } from "./householder.ts";
export { Identity } from "./identity.ts";
export { ImageCoupling, type ImageCouplingOptions } from "./imageCoupling.ts";
export { Invert } from "./invert.ts";
export { LULinear, type LULinearOptions } from "./luLinear.ts";
export { MatrixExponential } from "./matrixExponential.ts";
export { columnMoments } from "./moments.ts";
export { Ordered } from "./ordered.ts";
export {
  commonContextStandardization,
  type OuterStandardization,
  relativeToContext,
} from "./outerStandardization.ts";
export { flatten, latentRows, type Part, sampleIndices } from "./parts.ts";
export {
  DEFAULT_PATCH,
  PatchAutoregressive,
  type PatchAutoregressiveOptions,
} from "./patchAutoregressive.ts";
export { identityOrder, orderSchema, Permutation, randomOrder, reverseOrder } from "./permutation.ts";
export { PerPixel, type PerPixelOptions } from "./perPixel.ts";
export { Planar, type PlanarOptions } from "./planar.ts";
export { Power } from "./power.ts";
export { QRLinear, type QRLinearOptions } from "./qrLinear.ts";
export { Radial, type RadialOptions } from "./radial.ts";
export { RealNVPCoupling, type RealNVPCouplingOptions } from "./realNVPCoupling.ts";
export { bijectionKinds } from "./registry.ts";
export { Residual, type ResidualOptions } from "./residual.ts";
export { type AdditiveOptions, additiveKind } from "./scalar/additive.ts";
export type { AffineOptions } from "./scalar/affine.ts";
export { type BernsteinOptions, bernsteinKind } from "./scalar/bernstein.ts";
export type { MonotonicSplineOptions } from "./scalar/bins.ts";
export { readScalarTransform, scalarTransformRegistry } from "./scalar/build.ts";
export { type CircularSplineOptions, circularSplineKind } from "./scalar/circularSpline.ts";
export { type DeepSigmoidalOptions, deepSigmoidalKind } from "./scalar/deepSigmoidal.ts";
export { type GaussianizationTransformOptions, gaussianizationKind } from "./scalar/gaussianization.ts";
export { type MonotonicNetworkOptions, monotonicNetworkKind } from "./scalar/monotonicNetwork.ts";
export { registerAllScalarTransforms } from "./scalar/registerAll.ts";
export type { ScalarTransformOptions } from "./scalar/registry.ts";
export { blockColumns, type ScalarTransform, type ScalarTransformed } from "./scalar/scalarTransform.ts";
export { type SumOfSquaresOptions, sumOfSquaresKind } from "./scalar/sumOfSquares.ts";
export { Sigmoid } from "./sigmoid.ts";
export { SinhArcsinh } from "./sinhArcsinh.ts";
export { Softplus } from "./softplus.ts";
export { Softsign } from "./softsign.ts";
export { Squeeze, type SqueezeOptions } from "./squeeze.ts";
export { needsFloat64, Standardize } from "./standardize.ts";
export { StandardizeContext } from "./standardizeContext.ts";
export { breakStick, StickBreaking } from "./stickBreaking.ts";
export { formatSupport, mappedSupport, type Support } from "./support.ts";
export { Sylvester, type SylvesterOptions } from "./sylvester.ts";
export { Tails } from "./tails.ts";
export { Tanh } from "./tanh.ts";
export { ScaleMap, scaledValue, scaleSlope, unscaledValue } from "./valueScale.ts";
export { type ValueScale, valueScaleSchema } from "./valueScaleSchema.ts";
