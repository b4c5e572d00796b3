import { constant, type Tensor } from "../../graph/index.ts";

/** The factors `largest` (k + 1) / `count` with alternating sign, so that equal components get different gradients. */
export const alternatingFactors = (count: number, largest: number): Tensor =>
  constant(
    Array.from({ length: count }, (_, k) => ((k % 2 === 0 ? largest : -largest) * (k + 1)) / count),
    [count],
  );
