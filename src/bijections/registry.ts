import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { batchNormKind } from "./batchNorm.ts";
import { blockAutoregressiveKind } from "./blockAutoregressive.ts";
import { chainKind } from "./chain.ts";
import { columnScalesKind } from "./columnScales.ts";
import { continuousKind } from "./continuous.ts";
import { couplingKind } from "./coupling.ts";
import { diagonalScalingKind } from "./diagonalScaling.ts";
import { elementwiseKind } from "./elementwise.ts";
import { expKind } from "./exp.ts";
import { factorOutKind } from "./factorOut.ts";
import { householderKind } from "./householder.ts";
import { identityKind } from "./identity.ts";
import { imageCouplingKind } from "./imageCoupling.ts";
import { invertKind } from "./invert.ts";
import { luLinearKind } from "./luLinear.ts";
import { matrixExponentialKind } from "./matrixExponential.ts";
import { orderedKind } from "./ordered.ts";
import { patchAutoregressiveKind } from "./patchAutoregressive.ts";
import { permutationKind } from "./permutation.ts";
import { perPixelKind } from "./perPixel.ts";
import { planarKind } from "./planar.ts";
import { powerKind } from "./power.ts";
import { qrLinearKind } from "./qrLinear.ts";
import { radialKind } from "./radial.ts";
import { realNVPCouplingKind } from "./realNVPCoupling.ts";
import { residualKind } from "./residual.ts";
import { sigmoidKind } from "./sigmoid.ts";
import { sinhArcsinhKind } from "./sinhArcsinh.ts";
import { softplusKind } from "./softplus.ts";
import { softsignKind } from "./softsign.ts";
import { squeezeKind } from "./squeeze.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { stickBreakingKind } from "./stickBreaking.ts";
import { sylvesterKind } from "./sylvester.ts";
import { tailsKind } from "./tails.ts";
import { tanhKind } from "./tanh.ts";

/** Every bijection that a model file may hold. To add one, write its file and its line here. */
export const bijectionKinds = [
  actnormKind,
  autoregressiveKind,
  batchNormKind,
  blockAutoregressiveKind,
  chainKind,
  continuousKind,
  columnScalesKind,
  couplingKind,
  diagonalScalingKind,
  elementwiseKind,
  expKind,
  factorOutKind,
  householderKind,
  identityKind,
  imageCouplingKind,
  invertKind,
  luLinearKind,
  matrixExponentialKind,
  orderedKind,
  patchAutoregressiveKind,
  permutationKind,
  perPixelKind,
  planarKind,
  powerKind,
  qrLinearKind,
  radialKind,
  realNVPCouplingKind,
  residualKind,
  sigmoidKind,
  sinhArcsinhKind,
  softplusKind,
  softsignKind,
  squeezeKind,
  standardizeKind,
  standardizeContextKind,
  stickBreakingKind,
  sylvesterKind,
  tailsKind,
  tanhKind,
] as const;
