import { scalar, type Tensor } from "../tensor.ts";

/** A polynomial at each element of x, by Horner's rule. The coefficients start with that of the highest power. */
export const polynomial = (x: Tensor, [highest, ...rest]: readonly number[]): Tensor =>
  rest.reduce((sum, c) => sum.mul(x).add(c), scalar(highest));
