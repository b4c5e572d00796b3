import { actnormKind } from "./actnorm.ts";
import { autoregressiveKind } from "./autoregressive.ts";
import { chainKind } from "./chain.ts";
import { couplingKind } from "./coupling.ts";
import { expKind } from "./exp.ts";
import { invertKind } from "./invert.ts";
import { luLinearKind } from "./luLinear.ts";
import { orderedKind } from "./ordered.ts";
import { permutationKind } from "./permutation.ts";
import { powerKind } from "./power.ts";
import { sigmoidKind } from "./sigmoid.ts";
import { sinhArcsinhKind } from "./sinhArcsinh.ts";
import { softplusKind } from "./softplus.ts";
import { softsignKind } from "./softsign.ts";
import { standardizeKind } from "./standardize.ts";
import { standardizeContextKind } from "./standardizeContext.ts";
import { stickBreakingKind } from "./stickBreaking.ts";
import { tailsKind } from "./tails.ts";
import { tanhKind } from "./tanh.ts";

/** Every bijection that a model file may hold. To add one, write its file and its line here. */
export const bijectionKinds = [
  actnormKind,
  autoregressiveKind,
  chainKind,
  couplingKind,
  expKind,
  invertKind,
  luLinearKind,
  orderedKind,
  permutationKind,
  powerKind,
  sigmoidKind,
  sinhArcsinhKind,
  softplusKind,
  softsignKind,
  standardizeKind,
  standardizeContextKind,
  stickBreakingKind,
  tailsKind,
  tanhKind,
] as const;
