import { autoregressiveKind } from "./autoregressive.ts";
import { chainKind } from "./chain.ts";
import { couplingKind } from "./coupling.ts";
import { identityKind } from "./identity.ts";
import { permutationKind } from "./permutation.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { tailsKind } from "./tails.ts";

/**
 * The kinds of `fitFlows` and of the recipes for RealNVP, MAF and spline flows. A page that loads models contains the code of these kinds. It
 * loads the code of the other kinds of registry.ts only if a model has one of them.
 */
export const coreBijectionKinds = [
  autoregressiveKind,
  chainKind,
  couplingKind,
  identityKind,
  permutationKind,
  standardizeKind,
  standardizeContextKind,
  tailsKind,
] as const;
