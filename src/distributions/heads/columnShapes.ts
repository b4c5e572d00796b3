import type { Tensor } from "../../graph/tensor.ts";

/** Numbers per column [S, ..., 1] with more axes of size 1 at the end, so that they have the rank of x and broadcast to it. */
export const likeColumns = (numbers: Tensor, x: Tensor): Tensor =>
  numbers.reshape([...numbers.shape, ...new Array<1>(x.rank - numbers.rank).fill(1)]);

/** x [S, ...] as [S, 1, ...]. */
export function withSecondAxis(x: Tensor): Tensor {
  const [S, ...rest] = x.shape;
  return x.reshape([S, 1, ...rest]);
}
