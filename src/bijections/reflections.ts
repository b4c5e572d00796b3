import type { Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { identityMatrix } from "./triangles.ts";

/** A vector that is shorter than this reflects nothing, where it would divide by 0. */
const TINY = 1e-30;

/**
 * x H_1 H_2 ... H_K, or with `back` x H_K ... H_2 H_1, which undoes it. H_k = I - 2 v_k v_k^T / |v_k|^2 are Householder's
 * reflections by `vectors` [K, D], or [N, K, D] for other ones in each row.
 */
export function reflect(x: Tensor, vectors: Tensor, { back = false } = {}): Tensor {
  const [count, features] = vectors.shape.slice(-2) as [number, number];
  let value = x;
  for (let i = 0; i < count; i++) {
    const k = back ? count - 1 - i : i;
    const v = vectors.slice(-2, k, k + 1).reshape([...vectors.shape.slice(0, -2), features]);
    const half = v.square().sum(-1, { keepAxes: true }).maximum(TINY).mul(0.5);
    value = value.sub(v.mul(value.mul(v).sum(-1, { keepAxes: true }).div(half)));
  }
  return value;
}

/** H_1 H_2 ... H_K as a matrix [D, D]. */
export const reflectionMatrix = (vectors: Tensor): Tensor =>
  reflect(identityMatrix(vectors.shape.at(-1) as number), vectors);

/** K random vectors [K, D]. */
export const randomVectors = (count: number, features: number, random: Random): Float32Array =>
  random.normal(new Float32Array(count * features));

/** K random vectors [K, D], K even, each twice in a row: such reflections undo one another. */
export function pairedVectors(count: number, features: number, random: Random): Float32Array {
  const half = randomVectors(count / 2, features, random);
  return Float32Array.from({ length: count * features }, (_, i) => {
    const [k, j] = [Math.floor(i / features), i % features];
    return half[Math.floor(k / 2) * features + j];
  });
}
