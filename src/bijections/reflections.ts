import type { Tensor } from "../graph/index.ts";
import { MIN_SQUARED_NORM } from "../numerics/index.ts";
import type { Random } from "../random/index.ts";
import { identityMatrix } from "./triangles.ts";

/**
 * x H_1 H_2 ... H_K for rows x [N, D], or its inverse x H_K ... H_2 H_1. H_k = I - 2 v_k v_k^T / |v_k|^2 are the Householder
 * reflections of `vectors`: [K, D], or [N, K, D] if each row has its own vectors.
 */
export function reflect(x: Tensor, vectors: Tensor, { inverse = false } = {}): Tensor {
  const [count, features] = vectors.shape.slice(-2) as [number, number];
  let value = x;
  for (let i = 0; i < count; i++) {
    const k = inverse ? count - 1 - i : i;
    const v = vectors.slice(-2, k, k + 1).reshape([...vectors.shape.slice(0, -2), features]);
    const halfSquaredNorm = v.square().sum(-1, { keepAxes: true }).maximum(MIN_SQUARED_NORM).mul(0.5);
    value = value.sub(v.mul(value.mul(v).sum(-1, { keepAxes: true }).div(halfSquaredNorm)));
  }
  return value;
}

/** H_1 H_2 ... H_K as a matrix [D, D]. */
export const reflectionMatrix = (vectors: Tensor): Tensor =>
  reflect(identityMatrix(vectors.shape.at(-1) as number), vectors);

/** K random vectors [K, D]. */
export const randomVectors = (count: number, features: number, random: Random): Float32Array =>
  random.normal(new Float32Array(count * features));

/** K random vectors [K, D], K even, in pairs of equal ones, whose reflections cancel. */
export function pairedVectors(count: number, features: number, random: Random): Float32Array {
  const distinct = randomVectors(count / 2, features, random);
  return Float32Array.from({ length: count * features }, (_, i) => {
    const [k, j] = [Math.floor(i / features), i % features];
    return distinct[Math.floor(k / 2) * features + j];
  });
}
