import * as z from "zod/mini";
import { positiveSchema, sizeSchema } from "../../description.ts";
import { constant, type Tensor } from "../../graph/tensor.ts";
import { solveIncreasing } from "../../numerics/solve.ts";
import { gaussLegendre } from "./quadrature.ts";
import {
  groupColumns,
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

/** The slope does not fall below this. */
const LEAST_SLOPE = 1e-3;
const LARGEST_SLOPE = 1000;

const sumOfSquaresSchema = z.strictObject({
  type: z.literal("sumOfSquares"),
  /** n; the polynomial has degree 2 n + 1. A graph has an operation for each term. */
  degree: z._default(sizeSchema.check(z.maximum(256)), 4),
  /** B */
  bound: z._default(positiveSchema, 5),
});

/** Sum-of-squares polynomial (Jaini et al. 2019). */
export interface SumOfSquaresOptions {
  type: "sumOfSquares";
  /** n, at most 256: the polynomial has degree 2 n + 1. Default 4. */
  degree?: number;
  /** B: the polynomial is that of x on [-B, B], in the units of x, and linear beyond. Default 5. */
  bound?: number;
}

/**
 * The integral of a sum of squares of polynomials (Jaini et al. 2019), on [-B, B] and continued as a line outside: with
 * u = x / B,
 *
 *     dz/dx = (1 - e) (p(u)^2 + (1 - u^2) q(u)^2) + e,  e = 1/1000,
 *     p = sum_k a_k T_k, k = 0 ... n,  q = sum_k b_k U_k-1, k = 1 ... n,
 *
 * T and U Chebyshev's polynomials. These are all polynomials of degree 2 n that are not negative on the box (Markov and
 * Lukacs). T_n^2 + (1 - u^2) U_n-1^2 = 1 makes the identity of p = T_n, q = U_n-1, where the squares of the paper, which
 * give it as 1 + 0, would leave those that are 0 without a gradient.
 *
 * P = 2 n + 2: what is added to a and to b, each clamped smoothly so that slopes stay below 1000, and a shift. Gauss'
 * quadrature with n + 1 nodes integrates exactly, as a sum without cancellation.
 */
export function sumOfSquares(degree = 4, bound = 5): ScalarTransform {
  const sizes = [degree + 1, degree, 1];
  // |p| <= 1 + (n + 1) c and |q| sqrt(1 - u^2) <= 1 + n c, for coefficients that move by up to c.
  const reach = (Math.sqrt(LARGEST_SLOPE / 2) - 1) / (degree + 1);
  const last = (size: number) => constant([...new Array(size - 1).fill(0), 1], [size]);
  const { nodes, weights } = gaussLegendre(degree + 1);
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const [rawP, rawQ, shift] = splitGroups(raw, x.shape.at(-1) as number, sizes);
    const p = rawP.softClamp(reach).add(last(degree + 1));
    const q = rawQ.softClamp(reach).add(last(degree));
    const inside = x.maximum(-bound).minimum(bound);
    const column = inside.reshape([...x.shape, 1]);
    const slope = squares(column.mul(1 / bound), p, q).reshape(x.shape);
    const mean = squares(column.mul(nodes).mul(1 / bound), p, q)
      .mul(weights)
      .sum(-1);
    return {
      value: inside
        .mul(mean)
        .add(x.sub(inside).mul(slope))
        .add(shift.reshape(shift.shape.slice(0, -1))),
      logDerivative: slope.log(),
    };
  };
  return {
    parameters: 2 * degree + 2,
    columns: (features) => groupColumns(features, sizes),
    toLatent,
    toData: (z, raw) => solveIncreasing((x) => toLatent(x, raw), z),
  };
}

/** The slope at points u [..., D, M] for coefficients [..., D, n + 1] and [..., D, n]. */
function squares(u: Tensor, p: Tensor, q: Tensor): Tensor {
  const first = chebyshev(u, p, u);
  const second = chebyshev(u, q, u.mul(2));
  const rest = u.square().neg().add(1);
  return first
    .square()
    .add(rest.mul(second.square()))
    .mul(1 - LEAST_SLOPE)
    .add(LEAST_SLOPE);
}

/** sum_k c_k P_k(u) with P_0 = 1, P_1 as given, P_k+1 = 2 u P_k - P_k-1. */
function chebyshev(u: Tensor, coefficients: Tensor, linear: Tensor): Tensor {
  const size = coefficients.shape.at(-1) as number;
  const coefficient = (k: number) => coefficients.slice(-1, k, k + 1);
  const twice = u.mul(2);
  let sum = coefficient(0);
  let [before, now]: [Tensor | undefined, Tensor] = [undefined, linear];
  for (let k = 1; k < size; k++) {
    sum = sum.add(coefficient(k).mul(now));
    const next = twice.mul(now);
    [before, now] = [now, before ? next.sub(before) : next.sub(1)];
  }
  return sum;
}

export const sumOfSquaresKind: ScalarTransformKind<typeof sumOfSquaresSchema> = {
  schema: sumOfSquaresSchema,
  build: ({ degree, bound }) => sumOfSquares(degree, bound),
};
