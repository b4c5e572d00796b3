import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The sum over all axes but the last one: [N, ..., C] -> [C]. The two sums are products with ones, which together take less time than the
 * runtime's sum over several axes.
 */
export function sumOverPixels(x: Tensor): Tensor {
  const [rows, ...pixel] = x.shape;
  const channels = x.shape.at(-1) as number;
  const columns = sizeOf(pixel);
  return x
    .reshape([rows, columns])
    .sum(0)
    .reshape([columns / channels, channels])
    .sum(0);
}
