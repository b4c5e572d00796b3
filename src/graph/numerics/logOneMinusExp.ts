import type { Tensor } from "../tensor.ts";

/** log(1 - exp(-t)) for t > 0, without cancellation for small t. */
export const logOneMinusExp = (t: Tensor): Tensor => t.neg().expm1().neg().log();
