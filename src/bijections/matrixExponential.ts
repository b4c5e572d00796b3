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

/** Terms of the Taylor series of exp: for norms up to 1/2 the error is below 1e-16. */
const TAYLOR_DEGREE = 14;
/** Enough squarings for norms up to 2^8 = 256, where exp overflows float32 anyway. */
const MAX_SQUARINGS = 9;

/**
 * x = z exp(A) with a learned matrix A without constraints: log |det dx/dz| = trace A, and the inverse is exp(-A) (Hoogeboom et
 * al. 2020, "The convolution exponential and generalized Sylvester flows"; Xiao and Liu 2020). It starts as the identity, A = 0.
 */
export class MatrixExponential implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  /** A, [D, D]. */
  readonly generator: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
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

/** exp(A) of a matrix [D, D] by scaling and squaring: exp(A) = exp(A / 2^s)^(2^s), with s such that |A / 2^s| <= 1/2. */
export function matrixExponential(matrix: Tensor): Tensor {
  const size = matrix.shape[0] as number;
  const norm = matrix.abs().sum(1).max().stopGradient();
  /** Whether squaring k is needed. The graph computes every squaring and selects, since the norm is known only at run time. */
  const isNeeded = Array.from({ length: MAX_SQUARINGS }, (_, k) => norm.greater(2 ** (k - 1)));
  const scaled = isNeeded.reduce((a, needed) => a.mul(needed.where(0.5, 1)), matrix);
  let power = scaled;
  let result = identityMatrix(size).add(scaled);
  let factorial = 1;
  // The series is summed by powers, because the runtime would fold the factors 1 / n of Horner's rule into the matrix products,
  // as float32 numbers.
  for (let n = 2; n <= TAYLOR_DEGREE; n++) {
    power = power.matmul(scaled);
    factorial *= n;
    result = result.add(power.mul(1 / factorial));
  }
  for (const needed of isNeeded) result = needed.where(result.matmul(result), result);
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
