import type { Tensor } from "../tensor.ts";
import { isTraining, variantOfBatch } from "./training.ts";

let current = 0;

/**
 * Runs `build` and traces modules with several mask variants, such as orderings that share weights, as variant number `variant`,
 * counted from 0. The default is variant 0. While a training step is traced, the variant of the batch is used instead.
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

/** The mask variant to trace for a module with `count` variants: its number, or in training a one-hot tensor [count]. */
export function currentVariant(count: number): number | Tensor {
  if (count > 1 && isTraining()) return variantOfBatch(count);
  return current % count;
}
