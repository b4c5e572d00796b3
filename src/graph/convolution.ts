import { PushforwardError } from "../errors.ts";
import { formatShape } from "./shape.ts";
import { concat, type Tensor } from "./tensor.ts";

/**
 * Convolution with stride 1 and same padding: x [N, H, W, C], weight [K, K, C, O] with K odd, bias [O] -> [N, H, W, O].
 *
 * Written as shifted copies side by side and one matrix product, whose gradients are matrix products again: that trains
 * faster here than the runtime's convolution, which has no gradient and no float64 kernel.
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const [, height, width, channels] = x.shape as number[];
  const [k, k2, inputs, outputs] = weight.shape as number[];
  if (x.rank !== 4 || weight.rank !== 4 || k !== k2 || k % 2 === 0 || inputs !== channels) {
    throw new PushforwardError("SHAPE", "conv2d takes x [N, H, W, C] and weight [K, K, C, O] with K odd", {
      received: `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    });
  }
  const reach = (k - 1) / 2;
  const padded = x.pad(1, reach, reach).pad(2, reach, reach);
  const shifts: Tensor[] = [];
  for (let row = 0; row < k; row++) {
    const band = padded.slice(1, row, row + height);
    for (let column = 0; column < k; column++) shifts.push(band.slice(2, column, column + width));
  }
  return concat(shifts, 3).affine(weight.reshape([k * k * channels, outputs]), bias);
}
