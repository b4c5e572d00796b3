import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { blockAutoregressiveKind } from "./blockAutoregressive.ts";
import { chainKind } from "./chain.ts";
import { couplingKind } from "./coupling.ts";
import { elementwiseKind } from "./elementwise.ts";
import { invertKind } from "./invert.ts";
import { luLinearKind } from "./luLinear.ts";
import { permutationKind } from "./permutation.ts";
import { residualKind } from "./residual.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { tailsKind } from "./tails.ts";

/** Every bijection that a model file may hold. To add one, write its file and its line here. */
export const bijectionKinds = [
  actnormKind,
  autoregressiveKind,
  blockAutoregressiveKind,
  chainKind,
  couplingKind,
  elementwiseKind,
  invertKind,
  luLinearKind,
  permutationKind,
  residualKind,
  standardizeKind,
  standardizeContextKind,
  tailsKind,
] as const;
