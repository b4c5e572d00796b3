import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import { inversePermutation } from "../nn/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { orderSchema } from "./permutation.ts";
import { diagonalMatrix, identityMatrix, invertLower, invertUpper } from "./triangles.ts";

const luLinearSchema = z
  .strictObject({
    type: z.literal("luLinear"),
    features: sizeSchema,
    permutation: z.optional(orderSchema),
  })
  .check(
    z.refine(({ features, permutation }) => !permutation || permutation.length === features, {
      path: ["permutation"],
      error: "as many entries as features",
    }),
  );

/** Options of `LULinear`. */
export interface LULinearOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** P, a list of D indices: column i of x P is column `permutation[i]` of x. Default no permutation. */
  permutation?: number[] | undefined;
}

/**
 * Linear map by an LU decomposition: z = x P L U + b with L unit lower triangular and U upper triangular with a positive diagonal:
 * log |det dz/dx| = sum log diag U (Oliva et al. 2018; Kingma and Dhariwal 2018). P is a fixed permutation, as in Glow;
 * without it the map starts as the identity. Sampling inverts L and U by substitution, once per batch.
 */
export class LULinear implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly lower: Parameter;
  readonly upper: Parameter;
  readonly logDiagonal: Parameter;
  readonly bias: Parameter;

  private readonly permutation: readonly number[] | undefined;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: LULinearOptions) {
    const description = { type: "luLinear", ...options };
    const { features, permutation } = parse(luLinearSchema, description, "an LU linear map");
    this.permutation = permutation;
    this.features = features;
    this.lower = new Parameter([features, features], 0, { domain: WEIGHT });
    this.upper = new Parameter([features, features], 0, { domain: WEIGHT });
    this.logDiagonal = new Parameter([features], 0, { domain: LOGARITHM });
    this.bias = new Parameter([features], 0);
  }

  inverse(x: Tensor): Transformed {
    const { lower, upper } = this.triangles();
    const permuted = this.permutation ? x.gather(-1, this.permutation) : x;
    return { value: permuted.affine(lower.matmul(upper), this.bias), logDet: this.logDiagonal.sum() };
  }

  forward(z: Tensor): Transformed {
    const { lower, upper } = this.triangles();
    const permuted = z.sub(this.bias).matmul(invertUpper(upper).matmul(invertLower(lower)));
    const value = this.permutation ? permuted.gather(-1, inversePermutation(this.permutation)) : permuted;
    return { value, logDet: this.logDiagonal.sum().neg() };
  }

  private triangles() {
    return {
      lower: this.lower.lowerTriangle(-1).add(identityMatrix(this.features)),
      upper: this.upper.upperTriangle(1).add(diagonalMatrix(this.logDiagonal.exp())),
    };
  }

  describe(): Description {
    const { features, permutation } = this;
    return { type: "luLinear", features, ...(permutation && { permutation }) };
  }
}

export const luLinearKind: BijectionKind<typeof luLinearSchema> = {
  schema: luLinearSchema,
  build: ({ type: _, ...options }) => new LULinear(options),
};
