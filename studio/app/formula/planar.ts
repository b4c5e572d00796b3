import { slopeOf } from "./slope.ts";
import { dot, type Pair } from "./terms.ts";

/** û, which a planar layer uses instead of u: 1 + w·û is a positive slope, so the layer is invertible. */
export function usedDirection(u: Pair, w: Pair): Pair {
  const product = dot(w, u);
  const factor = (slopeOf(product) - 1 - product) / Math.max(dot(w, w), Number.MIN_VALUE);
  return [u[0] + factor * w[0], u[1] + factor * w[1]];
}
