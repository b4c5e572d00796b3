import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

const stickBreakingSchema = z.strictObject({
  type: z.literal("stickBreaking"),
  features: sizeSchema,
});

/**
 * Onto the open simplex of D + 1 parts, given by the first D of them: all positive, with a sum below 1. A stick of length 1 is
 * broken D times, and each part is a share of what is left,
 *   x_k = (1 - x_1 - ... - x_k-1) sigmoid(z_k - log(D + 1 - k)),
 * so that z = 0 gives equal parts (Stan Reference Manual, "Unit simplex"; Betancourt 2012). Rows outside of the simplex have
 * the log-determinant -Infinity. The last part, 1 - sum x, has the digits that the first ones leave it.
 */
export class StickBreaking implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "simplex";
  /** log(D + 1 - k): of equal parts, how many are left besides the k-th. */
  private readonly partsLeft: readonly number[];

  constructor(options: { features: number }) {
    const description = { type: "stickBreaking", ...options };
    const { features } = parse(stickBreakingSchema, description, "a stick-breaking bijection");
    this.features = features;
    this.partsLeft = Array.from({ length: features }, (_, k) => Math.log(features - k));
  }

  forward(z: Tensor): Transformed {
    const share = z.sub(constant(this.partsLeft, [this.features]));
    const [logKept, logBroken] = [share.softplus().neg(), share.neg().softplus().neg()];
    /** Of what is left after part k. */
    const logRest = logKept.cumsum(-1);
    const logPart = logRest.sub(logKept).add(logBroken);
    // dx_k/dz_k = x_k (1 - share of what was left)
    return { value: logPart.exp(), logDet: logPart.add(logKept).sum(-1) };
  }

  inverse(x: Tensor): Transformed {
    const left = this.features - 1;
    const sums = x.cumsum(-1);
    const wrong = x
      .lessEqual(0)
      .toFloat()
      .sum(-1)
      .add(
        sums
          .slice(1, left, left + 1)
          .greaterEqual(1)
          .toFloat()
          .sum(-1),
      );
    const outside = wrong.greater(0);
    const everywhere = wrong.reshape([...wrong.shape, 1]).greater(0);
    const equal = Array.from({ length: this.features }, (_, k) => (k + 1) / (this.features + 1));
    const logPart = everywhere.where(equal[0], x).log();
    const logRest = everywhere
      .where(constant(equal, [this.features]), sums)
      .neg()
      .log1p();
    const logDet = logPart
      .sum(-1)
      .add(logRest.slice(1, left, left + 1).sum(-1))
      .neg();
    return {
      value: logPart.sub(logRest).add(constant(this.partsLeft, [this.features])),
      logDet: outside.where(Number.NEGATIVE_INFINITY, logDet),
    };
  }

  describe(): Description {
    return { type: "stickBreaking", features: this.features };
  }
}

export const stickBreakingKind: BijectionKind<typeof stickBreakingSchema> = {
  schema: stickBreakingSchema,
  build: (description) => new StickBreaking(description),
};
