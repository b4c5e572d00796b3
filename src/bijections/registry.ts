import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { batchNormKind } from "./batchNorm.ts";
import { chainKind } from "./chain.ts";
import { continuousKind } from "./continuous.ts";
import { couplingKind } from "./coupling.ts";
import { identityKind } from "./identity.ts";
import { invertKind } from "./invert.ts";
import { luLinearKind } from "./luLinear.ts";
import { permutationKind } from "./permutation.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { tailsKind } from "./tails.ts";

/** Every bijection that a model file may hold. To add one, write its file and its line here. */
export const bijectionKinds = [
  actnormKind,
  autoregressiveKind,
  batchNormKind,
  chainKind,
  continuousKind,
  couplingKind,
  identityKind,
  invertKind,
  luLinearKind,
  permutationKind,
  standardizeKind,
  standardizeContextKind,
  tailsKind,
] as const;
