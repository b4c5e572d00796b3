import type { Tensor } from "../tensor.ts";

/** The diagonals of square matrices in the last two axes: [..., D, D] -> [..., D]. */
export function diagonal(matrix: Tensor): Tensor {
  const leading = matrix.shape.slice(0, -2);
  const size = matrix.shape.at(-1) as number;
  const positions = Array.from({ length: size }, (_, i) => i * (size + 1));
  return matrix.reshape([...leading, size * size]).gather(-1, positions);
}
