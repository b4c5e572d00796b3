import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { chainKind } from "./chain.ts";
import { couplingKind } from "./coupling.ts";
import { identityKind } from "./identity.ts";
import { luLinearKind } from "./luLinear.ts";
import { permutationKind } from "./permutation.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { tailsKind } from "./tails.ts";

/**
 * The kinds of `fitFlows` and of the recipes for RealNVP, Glow, MAF and spline flows. A page that loads models contains the
 * code of these kinds. It loads the code of the other kinds of registry.ts only if a model has one of them.
 */
export const coreBijectionKinds = [
  actnormKind,
  autoregressiveKind,
  chainKind,
  couplingKind,
  identityKind,
  luLinearKind,
  permutationKind,
  standardizeKind,
  standardizeContextKind,
  tailsKind,
] as const;
