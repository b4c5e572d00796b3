import type { Tensor } from "../tensor.ts";
import { isTraining, variantOfBatch } from "./training.ts";

let current = 0;

/**
 * Traces `build` with modules that have several mask variants, such as orderings of the features that share weights, as the
 * variant of this number, counted from 0. Without it they are variant 0. In training the variant of the batch takes precedence.
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

/** The variant of a module with `count` of them that is being traced: a number, or in training one-hot [count]. */
export function currentVariant(count: number): number | Tensor {
  if (count > 1 && isTraining()) return variantOfBatch(count);
  return current % count;
}
