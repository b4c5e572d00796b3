import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { batchNormKind } from "./batchNorm.ts";
import { chainKind } from "./chain.ts";
import { continuousKind } from "./continuous.ts";
import { couplingKind } from "./coupling.ts";
import { diagonalScalingKind } from "./diagonalScaling.ts";
import { elementwiseKind } from "./elementwise.ts";
import { householderKind } from "./householder.ts";
import { identityKind } from "./identity.ts";
import { invertKind } from "./invert.ts";
import { luLinearKind } from "./luLinear.ts";
import { matrixExponentialKind } from "./matrixExponential.ts";
import { permutationKind } from "./permutation.ts";
import { planarKind } from "./planar.ts";
import { qrLinearKind } from "./qrLinear.ts";
import { radialKind } from "./radial.ts";
import { realNVPCouplingKind } from "./realNVPCoupling.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { sylvesterKind } from "./sylvester.ts";
import { tailsKind } from "./tails.ts";

/** Every bijection that a model file may hold. To add one, write its file and its line here. */
export const bijectionKinds = [
  actnormKind,
  autoregressiveKind,
  batchNormKind,
  chainKind,
  continuousKind,
  couplingKind,
  diagonalScalingKind,
  elementwiseKind,
  householderKind,
  identityKind,
  invertKind,
  luLinearKind,
  matrixExponentialKind,
  permutationKind,
  planarKind,
  qrLinearKind,
  radialKind,
  realNVPCouplingKind,
  standardizeKind,
  standardizeContextKind,
  sylvesterKind,
  tailsKind,
] as const;
