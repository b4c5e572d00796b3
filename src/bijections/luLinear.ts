import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

const luLinearSchema = z.strictObject({ type: z.literal("luLinear"), features: z.int().positive() });

/**
 * z = x L U + b with L unit lower and U upper triangular, diagonal of U positive: log |det| = sum log diag U
 * (Kingma and Dhariwal 2018; Oliva et al. 2018). Starts as the identity. Sampling inverts both triangles by substitution.
 */
export class LULinear implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly lower: Parameter;
  readonly upper: Parameter;
  readonly logDiagonal: Parameter;
  readonly bias: Parameter;

  constructor(options: { features: number }) {
    const { features } = parse(luLinearSchema, { type: "luLinear", ...options }, "an LU linear map");
    this.features = features;
    this.lower = new Parameter([features, features], new Float32Array(features ** 2));
    this.upper = new Parameter([features, features], new Float32Array(features ** 2));
    this.logDiagonal = new Parameter([features], new Float32Array(features));
    this.bias = new Parameter([features], new Float32Array(features));
  }

  inverse(x: Tensor): Transformed {
    const { lower, upper } = this.triangles();
    return { value: x.affine(lower.matmul(upper), this.bias), logDet: this.logDiagonal.sum() };
  }

  forward(z: Tensor): Transformed {
    const { lower, upper } = this.triangles();
    // (L U)^-1 = U^-1 L^-1; an upper triangle is the transpose of a lower one.
    const inverse = invertLower(upper.transpose()).transpose().matmul(invertLower(lower));
    return { value: z.sub(this.bias).matmul(inverse), logDet: this.logDiagonal.sum().neg() };
  }

  private triangles() {
    const identity = diagonal(constant(new Float64Array(this.features).fill(1), [this.features]));
    return {
      lower: this.lower.lowerTriangle(-1).add(identity),
      upper: this.upper.upperTriangle(1).add(diagonal(this.logDiagonal.exp())),
    };
  }

  describe(): Description {
    return { type: "luLinear", features: this.features };
  }
}

export const luLinearKind: BijectionKind<typeof luLinearSchema> = {
  schema: luLinearSchema,
  about: {
    name: "LU linear map",
    formula: "z = x L U + b",
    paper: "Oliva et al. 2018; Kingma and Dhariwal 2018",
    density: "closed form",
    sampling: "closed form",
  },
  build: (description) => new LULinear(description),
  examples: (features) => [{ type: "luLinear", features }],
};

/** A diagonal matrix [D, D] from its diagonal [D]. */
function diagonal(values: Tensor): Tensor {
  const size = values.shape[0] as number;
  const identity = Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 1 : 0));
  return constant(identity, [size, size]).mul(values);
}

/** Inverse of a lower triangular matrix [D, D], row by row: r_i = (e_i - sum_{j<i} l_ij r_j) / l_ii. */
export function invertLower(lower: Tensor): Tensor {
  const size = lower.shape[0] as number;
  const rows: Tensor[] = [];
  for (let i = 0; i < size; i++) {
    const unit = constant(
      Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
      [1, size],
    );
    const row = lower.slice(0, i, i + 1);
    const known = i === 0 ? unit : unit.sub(row.slice(1, 0, i).matmul(concat(rows, 0)));
    rows.push(known.div(row.slice(1, i, i + 1)));
  }
  return concat(rows, 0);
}
