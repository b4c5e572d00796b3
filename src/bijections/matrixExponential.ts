import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { identityMatrix } from "./triangles.ts";

const matrixExponentialSchema = z.strictObject({
  type: z.literal("matrixExponential"),
  features: sizeSchema,
});

/** Terms of the Taylor series of exp: for norms up to 1/2 the error is below 1e-16. */
const TAYLOR_DEGREE = 15;
/** The series is summed in groups of this many powers of A. */
const GROUP_SIZE = 4;
/** Enough for norms up to 2^15. */
const MAX_SQUARINGS = 16;

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
    // The norm is a sum of D absolute values.
    const largest = 2 ** (MAX_SQUARINGS - 1) / this.features;
    this.generator = new Parameter([this.features, this.features], 0, {
      domain: { min: -largest, max: largest },
    });
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

/**
 * exp(A) of a matrix [D, D] with row sums of |a_ij| up to 2^15, by scaling and squaring: exp(A) = exp(A / 2^s)^(2^s), with s such that
 * |A / 2^s| <= 1/2.
 */
export function matrixExponential(matrix: Tensor): Tensor {
  const size = matrix.shape[0] as number;
  const norm = matrix.abs().sum(1).max().stopGradient();
  /** Whether squaring k is needed. The graph computes every squaring and selects, since the norm is known only at run time. */
  const isNeeded = Array.from({ length: MAX_SQUARINGS }, (_, k) => norm.greater(2 ** (k - 1)));
  const scaled = isNeeded.reduce((a, needed) => a.mul(needed.where(0.5, 1)), matrix);
  const powers = [identityMatrix(size), scaled];
  for (let n = 2; n <= GROUP_SIZE; n++) powers.push(powers[n - 1].matmul(scaled));
  const factorials = [1];
  for (let n = 1; n <= TAYLOR_DEGREE; n++) factorials.push(n * factorials[n - 1]);
  // sum_n A^n / n! = G_0 + A^4 (G_1 + A^4 (G_2 + A^4 G_3)), which takes 6 products (Paterson and Stockmeyer 1973, "On the number of
  // nonscalar multiplications necessary to evaluate polynomials"). Group g is G_g = sum_k A^k / (4 g + k)! for k < 4.
  const groups = Array.from({ length: (TAYLOR_DEGREE + 1) / GROUP_SIZE }, (_, g) =>
    powers
      .slice(0, GROUP_SIZE)
      .map((power, k) => power.mul(1 / factorials[GROUP_SIZE * g + k]))
      .reduce((sum, term) => sum.add(term)),
  );
  let result = groups.reduceRight((sum, group) => sum.matmul(powers[GROUP_SIZE]).add(group));
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
