import type { Tensor } from "../tensor.ts";
import { drawVariant, isTraining } from "./drawn.ts";

let current = 0;

/**
 * Traces a part of a model that has several variants with the same weights, such as orderings of its features, as the one of
 * this number, counted from 0. Outside it is the first one; while `isTraining` batches take them in a cycle, each the same in
 * all parts.
 */
export function withVariant<T>(variant: number, build: () => T): T {
  const outer = current;
  current = variant;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** The variant to take, of `count` that the part has: its number, or one-hot numbers [count] of the batch's. */
export function variantOf(count: number): number | Tensor {
  if (count > 1 && isTraining()) return drawVariant(count);
  return current % count;
}
