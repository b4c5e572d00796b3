import { slopeOf } from "./slope.ts";

type Vector = readonly [number, number];

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1];

/** û, which a planar layer uses instead of u: 1 + w·û is a positive slope, so the layer is invertible. */
export function usedDirection(u: Vector, w: Vector): Vector {
  const product = dot(w, u);
  const factor = (slopeOf(product) - 1 - product) / Math.max(dot(w, w), Number.MIN_VALUE);
  return [u[0] + factor * w[0], u[1] + factor * w[1]];
}
