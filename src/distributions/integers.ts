import type { Support } from "../bijections/index.ts";
import type { Tensor } from "../graph/index.ts";

/** The support of features with the values 0, 1, ... values - 1. */
export const integerSupport = (values: number): Support => ({
  description: `integers from 0 to ${values - 1}`,
});

/** Whether each element of x is an integer from 0 to `largest`. */
export const isInteger = (x: Tensor, largest: Tensor | number): Tensor =>
  x.equal(x.floor()).and(x.greaterEqual(0)).and(x.lessEqual(largest));
