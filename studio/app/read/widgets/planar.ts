type Vector = readonly [number, number];

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1];

/** Slopes of a planar layer are at least this, and u = 0 must give the slope 1, the identity: see the page of `Planar`. */
const MIN_SLOPE = 1e-3;
const OFFSET = Math.log(Math.expm1(1 - MIN_SLOPE));

/** û, which a planar layer uses instead of u: w·û = softplus(w·u + c) + 1/1000 - 1 is above -1, so the layer is invertible. */
export function usedDirection(u: Vector, w: Vector): Vector {
  const product = dot(w, u);
  const slope = Math.log1p(Math.exp(product + OFFSET)) + MIN_SLOPE;
  const factor = (slope - 1 - product) / Math.max(dot(w, w), Number.MIN_VALUE);
  return [u[0] + factor * w[0], u[1] + factor * w[1]];
}
