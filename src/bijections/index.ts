import { registerAllScalarTransforms } from "./scalar/registerAll.ts";

export type { AutoregressiveOptions } from "./autoregressive.ts";
export type { BatchNormOptions } from "./batchNorm.ts";
export type { DataRows, Description, FitToRows, VelocityField } from "./bijection.ts";
export type { BlockAutoregressiveOptions } from "./blockAutoregressive.ts";
export type { BijectionDescription } from "./build.ts";
export { buildBijection } from "./buildBijection.ts";
export type { ContinuousOptions } from "./continuous.ts";
export type { CouplingOptions } from "./coupling.ts";
export type { ElementwiseOptions } from "./elementwise.ts";
export type { FactorOutOptions } from "./factorOut.ts";
export type { HouseholderOptions } from "./householder.ts";
export type { ImageCouplingOptions } from "./imageCoupling.ts";
export type { LULinearOptions } from "./luLinear.ts";
export * from "./mainExports.ts";
export type { OuterStandardization } from "./outerStandardization.ts";
export type { Part } from "./parts.ts";
export type { PatchAutoregressiveOptions } from "./patchAutoregressive.ts";
export type { PerPixelOptions } from "./perPixel.ts";
export type { PlanarOptions } from "./planar.ts";
export type { QRLinearOptions } from "./qrLinear.ts";
export type { RadialOptions } from "./radial.ts";
export type { RealNVPCouplingOptions } from "./realNVPCoupling.ts";
export type { ResidualOptions } from "./residual.ts";
export type { ScalarTransformOptions } from "./scalar/registry.ts";
export type { ScalarTransform, ScalarTransformed } from "./scalar/scalarTransform.ts";
export type { SqueezeOptions } from "./squeeze.ts";
export type { Support } from "./support.ts";
export type { SylvesterOptions } from "./sylvester.ts";

// The constructors of bijections take the options of any transform. A page that only loads models imports pushforward/flows.
registerAllScalarTransforms();
