import * as z from "zod/mini";
import { constant, type Tensor } from "../../graph/index.ts";
import { MIN_SLOPE } from "../../numerics/index.ts";
import { positiveSchema, sizeSchema } from "../../parts/index.ts";
import { invertedNumerically } from "./invertedNumerically.ts";
import { gaussLegendre } from "./quadrature.ts";
import {
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

const MAX_SLOPE = 1000;

const sumOfSquaresSchema = z.strictObject({
  type: z.literal("sumOfSquares"),
  /** n; the polynomial has degree 2 n + 1. The bound limits the size of the graph, which grows with each term. */
  degree: z._default(sizeSchema.check(z.maximum(256)), 4),
  /** B */
  bound: z._default(positiveSchema, 5),
});

/** Sum-of-squares polynomial (Jaini et al. 2019). */
export interface SumOfSquaresOptions {
  type: "sumOfSquares";
  /** n, at most 256: the polynomial has degree 2 n + 1. Default 4. */
  degree?: number | undefined;
  /** B, in the units of x: the transform is linear outside [-B, B]. Default 5. */
  bound?: number | undefined;
}

/**
 * Sum-of-squares polynomial (Jaini et al. 2019): the integral of a sum of squares of polynomials on [-B, B], extended linearly
 * outside. With u = x / B,
 *
 *     dz/dx = (1 - e) (p(u)^2 + (1 - u^2) q(u)^2) + e,  e = 1/1000,
 *     p = sum_k a_k T_k, k = 0 ... n,  q = sum_k b_k U_k-1, k = 1 ... n,
 *
 * where T and U are Chebyshev polynomials of the first and second kind. By the Markov-Lukacs theorem these are all polynomials of
 * degree 2 n that are non-negative on [-1, 1]. The identity is p = T_n, q = U_n-1, since T_n^2 + (1 - u^2) U_n-1^2 = 1. (In the
 * paper's parametrization the identity would have squares that are 0, which get no gradient.)
 *
 * P = 2 n + 2: offsets of a and b, each clamped smoothly so that slopes stay below 1000, and a shift. Gauss-Legendre quadrature
 * with n + 1 nodes is exact for the integral, and a sum of positive terms.
 */
export function sumOfSquares(degree = 4, bound = 5): ScalarTransform {
  const sizes = [degree + 1, degree, 1];
  // With offsets of at most c, |p| <= 1 + (n + 1) c and |q| sqrt(1 - u^2) <= 1 + n c.
  const maxOffset = (Math.sqrt(MAX_SLOPE / 2) - 1) / (degree + 1);
  const last = (size: number) => constant([...new Array(size - 1).fill(0), 1], [size]);
  const { nodes, weights } = gaussLegendre(degree + 1);
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const [rawP, rawQ, shift] = splitGroups(raw, x.shape.at(-1) as number, sizes);
    const p = rawP.softClamp(maxOffset).add(last(degree + 1));
    const q = rawQ.softClamp(maxOffset).add(last(degree));
    const clamped = x.maximum(-bound).minimum(bound);
    const column = clamped.reshape([...x.shape, 1]);
    const slope = squares(column.mul(1 / bound), p, q).reshape(x.shape);
    const mean = squares(column.mul(nodes).mul(1 / bound), p, q)
      .mul(weights)
      .sum(-1);
    return {
      value: clamped
        .mul(mean)
        .add(x.sub(clamped).mul(slope))
        .add(shift.reshape(shift.shape.slice(0, -1))),
      logDerivative: slope.log(),
    };
  };
  return invertedNumerically(sizes, toLatent);
}

/** The slope at points u [..., D, M] for coefficients [..., D, n + 1] and [..., D, n]. */
function squares(u: Tensor, p: Tensor, q: Tensor): Tensor {
  const first = chebyshev(u, p, u);
  const second = chebyshev(u, q, u.mul(2));
  const oneMinusSquare = u.square().neg().add(1);
  return first
    .square()
    .add(oneMinusSquare.mul(second.square()))
    .mul(1 - MIN_SLOPE)
    .add(MIN_SLOPE);
}

/** sum_k c_k P_k(u) with the recurrence P_0 = 1, P_1 = `linear`, P_k+1 = 2 u P_k - P_k-1 of both kinds of Chebyshev polynomials. */
function chebyshev(u: Tensor, coefficients: Tensor, linear: Tensor): Tensor {
  const size = coefficients.shape.at(-1) as number;
  const coefficient = (k: number) => coefficients.slice(-1, k, k + 1);
  const twice = u.mul(2);
  let sum = coefficient(0);
  let [previous, current]: [Tensor | undefined, Tensor] = [undefined, linear];
  for (let k = 1; k < size; k++) {
    sum = sum.add(coefficient(k).mul(current));
    const next = twice.mul(current);
    [previous, current] = [current, previous ? next.sub(previous) : next.sub(1)];
  }
  return sum;
}

export const sumOfSquaresKind: ScalarTransformKind<typeof sumOfSquaresSchema> = {
  schema: sumOfSquaresSchema,
  build: ({ degree, bound }) => sumOfSquares(degree, bound),
};
