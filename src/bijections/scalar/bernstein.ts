import * as z from "zod/mini";
import { constant, constantMatrix, stack, type Tensor } from "../../graph/index.ts";
import { LOG_BOUND } from "../../numerics/index.ts";
import { positiveSchema, sizeSchema } from "../../parts/index.ts";
import { invertedNumerically } from "./invertedNumerically.ts";
import {
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  splitGroups,
} from "./scalarTransform.ts";

const bernsteinSchema = z.strictObject({
  type: z.literal("bernstein"),
  /** n. The largest binomial coefficient overflows float32 for degrees above 131. */
  degree: z._default(sizeSchema.check(z.maximum(128)), 8),
  /** B */
  bound: z._default(positiveSchema, 5),
});

/** Monotonic Bernstein polynomial on [-B, B] (Ramasinghe et al. 2021). */
export interface BernsteinOptions {
  type: "bernstein";
  /** n, at most 128. Default 8. */
  degree?: number | undefined;
  /** B, in the units of x. Default 5. */
  bound?: number | undefined;
}

/**
 * An increasing polynomial on [-B, B] in the Bernstein basis, extended linearly outside (Sick et al. 2020; Ramasinghe et al.
 * 2021): with u = (x + B) / (2 B),
 *
 *     z = sum_k c_k C(n, k) u^k (1 - u)^(n - k),  c_k - c_k-1 = (2 B / n) exp(s_k).
 *
 * The slope is a mean of the n numbers exp(s_k), weighted by the basis of degree n - 1, so it lies between the smallest and the
 * largest of them. Outside it is exp(s_1) and exp(s_n). P = n + 1: the s_k, each clamped smoothly to +-log 1000, and a shift.
 * With all parameters at 0 the coefficients are equally spaced, which gives the identity.
 */
export function bernstein(degree = 8, bound = 5): ScalarTransform {
  const sizes = [degree, 1];
  const toLatent = (x: Tensor, raw: Tensor): ScalarTransformed => {
    const [rawSlopes, shift] = splitGroups(raw, x.shape.at(-1) as number, sizes);
    const slopes = rawSlopes.softClamp(LOG_BOUND).exp();
    const clamped = x.maximum(-bound).minimum(bound);
    const u = clamped.add(bound).mul(1 / (2 * bound));
    const v = clamped
      .neg()
      .add(bound)
      .mul(1 / (2 * bound));
    const slope = slopes.mul(basis(u, v, degree - 1)).sum(-1);
    const coefficients = slopes.matmul(cumulativeFromMiddle(degree, bound)).add(shift);
    const value = coefficients.mul(basis(u, v, degree)).sum(-1);
    return { value: value.add(x.sub(clamped).mul(slope)), logDerivative: slope.log() };
  };
  return invertedNumerically(sizes, toLatent);
}

/** C(n, k) u^k v^(n - k) for k = 0 ... n, along a new last axis. */
function basis(u: Tensor, v: Tensor, degree: number): Tensor {
  const powers = (t: Tensor) => {
    const result = [t.mul(0).add(1)];
    for (let k = 1; k <= degree; k++) result.push(result[k - 1].mul(t));
    return result;
  };
  const binomials = [1];
  for (let k = 1; k <= degree; k++) binomials.push((binomials[k - 1] * (degree - k + 1)) / k);
  const ascending = stack(powers(u), -1);
  const descending = stack(powers(v).reverse(), -1);
  return ascending.mul(descending).mul(constant(binomials, [degree + 1]));
}

/**
 * The matrix [n, n + 1] that maps slopes to coefficients c_k. c_k is half of the sum of the increments up to k, minus half of the
 * sum of the increments after k: so equal slopes give coefficients that are symmetric about 0.
 */
const cumulativeFromMiddle = (degree: number, bound: number): Tensor =>
  constantMatrix(degree, degree + 1, (increment, k) => ((increment < k ? 1 : -1) * bound) / degree);

export const bernsteinKind: ScalarTransformKind<typeof bernsteinSchema> = {
  schema: bernsteinSchema,
  build: ({ degree, bound }) => bernstein(degree, bound),
};
