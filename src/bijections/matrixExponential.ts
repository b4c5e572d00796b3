import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { Parameter, WEIGHT } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { identityMatrix } from "./triangles.ts";

const matrixExponentialSchema = z.strictObject({
  type: z.literal("matrixExponential"),
  features: sizeSchema,
});

/** The Taylor series of exp up to here is exact to 1e-16 where the norm is at most 1/2. */
const DEGREE = 14;
/** Squarings: norms up to 2^(SQUARINGS - 1), where exp is beyond float32. */
const SQUARINGS = 9;

/**
 * x = z exp(A), the matrix exponential of a free matrix A: log |det| = trace A, and exp(-A) is the inverse (Hoogeboom
 * et al. 2020, "The convolution exponential and generalized Sylvester flows"; Xiao and Liu 2020). Starts at A = 0, the identity.
 *
 * Computed by scaling and squaring, exp(A) = exp(A / 2^s)^(2^s), with the s that the norm of A asks for.
 */
export class MatrixExponential implements Bijection {
  readonly features: number;
  readonly context = 0;
  /** A, [D, D]. */
  readonly generator: Parameter;

  constructor(options: { features: number }) {
    const description = { type: "matrixExponential", ...options };
    this.features = parse(matrixExponentialSchema, description, "a matrix exponential").features;
    this.generator = new Parameter([this.features, this.features], 0, { domain: WEIGHT });
  }

  forward(z: Tensor): Transformed {
    return { value: z.matmul(matrixExponential(this.generator)), logDet: trace(this.generator) };
  }

  inverse(x: Tensor): Transformed {
    const opposite = this.generator.neg();
    return { value: x.matmul(matrixExponential(opposite)), logDet: trace(opposite) };
  }

  describe(): Description {
    return { type: "matrixExponential", features: this.features };
  }
}

/** exp(A) = I + A + A^2 / 2 + ... of [D, D]. */
export function matrixExponential(matrix: Tensor): Tensor {
  const size = matrix.shape[0] as number;
  const norm = matrix.abs().sum(1).max().stopGradient();
  /** Whether turn k of the squarings is needed. */
  const turns = Array.from({ length: SQUARINGS }, (_, k) => norm.greater(2 ** (k - 1)));
  const scaled = turns.reduce((a, needed) => a.mul(needed.where(0.5, 1)), matrix);
  let power = scaled;
  let result = identityMatrix(size).add(scaled);
  let factorial = 1;
  // By powers and not by Horner's rule: where a product follows a factor 1 / n, the runtime takes it in as a float32.
  for (let n = 2; n <= DEGREE; n++) {
    power = power.matmul(scaled);
    factorial *= n;
    result = result.add(power.mul(1 / factorial));
  }
  for (const needed of turns) result = needed.where(result.matmul(result), result);
  return result;
}

const trace = (matrix: Tensor): Tensor => {
  const size = matrix.shape[0] as number;
  return matrix.mul(identityMatrix(size)).sum();
};

export const matrixExponentialKind: BijectionKind<typeof matrixExponentialSchema> = {
  schema: matrixExponentialSchema,
  build: (description) => new MatrixExponential(description),
};
