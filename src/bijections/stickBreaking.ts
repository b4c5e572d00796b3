import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, constant, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

const stickBreakingSchema = z.strictObject({
  type: z.literal("stickBreaking"),
  features: sizeSchema,
});

/**
 * Stick-breaking, onto the open simplex of D + 1 positive parts with the sum 1. A row x holds the first D parts. Each part is a
 * fraction of the remaining stick,
 *   x_k = (1 - x_1 - ... - x_k-1) sigmoid(z_k - log(D + 1 - k)),
 * so that z = 0 gives equal parts (Stan Reference Manual, "Unit simplex"; Betancourt 2012). The log-determinant is -Infinity
 * outside of the simplex. The last part must be computed as 1 - sum x, so it loses digits where it is small.
 */
export class StickBreaking implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "simplex";
  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const description = { type: "stickBreaking", ...options };
    const { features } = parse(stickBreakingSchema, description, "a stick-breaking bijection");
    this.features = features;
  }

  forward(z: Tensor): Transformed {
    const { logParts, logDet } = breakStick(z);
    return { value: logParts.slice(1, 0, this.features).exp(), logDet };
  }

  inverse(x: Tensor): Transformed {
    const last = this.features - 1;
    const sums = x.cumsum(-1);
    const violations = x
      .lessEqual(0)
      .toFloat()
      .sum(-1)
      .add(
        sums
          .slice(1, last, last + 1)
          .greaterEqual(1)
          .toFloat()
          .sum(-1),
      );
    const outside = violations.greater(0);
    const outsideOfRow = violations.reshape([...violations.shape, 1]).greater(0);
    // Rows outside are replaced by equal parts, so that gradients stay finite.
    const equalSums = Array.from({ length: this.features }, (_, k) => (k + 1) / (this.features + 1));
    const logPart = outsideOfRow.where(equalSums[0], x).log();
    const logRest = outsideOfRow
      .where(constant(equalSums, [this.features]), sums)
      .neg()
      .log1p();
    const logDet = logPart
      .sum(-1)
      .add(logRest.slice(1, last, last + 1).sum(-1))
      .neg();
    return {
      value: logPart.sub(logRest).add(logPartsAfter(this.features)),
      logDet: outside.where(Number.NEGATIVE_INFINITY, logDet),
    };
  }

  describe(): Description {
    return { type: "stickBreaking", features: this.features };
  }
}

/** The logarithms of all D + 1 parts for z [N, D], and log |det dx/dz| of the first D of them. */
export function breakStick(z: Tensor): { logParts: Tensor; logDet: Tensor } {
  const features = z.shape[1] as number;
  const logit = z.sub(logPartsAfter(features));
  /** Logarithms of 1 - the fraction that is broken off, and of that fraction. */
  const [logKept, logBroken] = [logit.softplus().neg(), logit.neg().softplus().neg()];
  /** The logarithm of the stick that remains after part k. */
  const logRest = logKept.cumsum(-1);
  const logPart = logRest.sub(logKept).add(logBroken);
  return {
    logParts: concat([logPart, logRest.slice(1, features - 1, features)], 1),
    // dx_k/dz_k = x_k (1 - fraction)
    logDet: logPart.add(logKept).sum(-1),
  };
}

/** log(D + 1 - k), where D + 1 - k parts follow part k: the offset that makes equal parts of z = 0. */
const logPartsAfter = (features: number): Tensor =>
  constant(
    Array.from({ length: features }, (_, k) => Math.log(features - k)),
    [features],
  );

export const stickBreakingKind: BijectionKind<typeof stickBreakingSchema> = {
  schema: stickBreakingSchema,
  build: (description) => new StickBreaking(description),
};
