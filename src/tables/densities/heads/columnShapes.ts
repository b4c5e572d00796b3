import type { Tensor } from "../../../graph/index.ts";

/** Numbers per column [S, ..., 1] with more axes of size 1 at the end, so that they have the rank of x and broadcast to it. */
export const likeColumns = (numbers: Tensor, x: Tensor): Tensor =>
  numbers.reshape([...numbers.shape, ...new Array<1>(x.rank - numbers.rank).fill(1)]);

/** x [S, ...] as [S, 1, ...]. */
export function withSecondAxis(x: Tensor): Tensor {
  const [S, ...rest] = x.shape;
  return x.reshape([S, 1, ...rest]);
}

/** The padding of lists of atoms and knots, which is larger than any value of a column. */
export const PADDING = 1e38;

/** Numbers with padding at the end, so that there are `size` of them. */
export const padded = (numbers: readonly number[], size: number, padding: number = PADDING): number[] => [
  ...numbers,
  ...new Array<number>(size - numbers.length).fill(padding),
];

/** The integers from `start` to `end - 1`. */
export const positions = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
