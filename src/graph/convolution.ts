import { PushforwardError } from "../errors.ts";
import { formatShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Convolution layer with stride 1 and same padding: x [N, C, H, W], weight [O, C, K, K] with K odd, bias [O] ->
 * [N, O, H, W]. As everywhere in learning it is a cross-correlation: the kernel is not turned.
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const value = x.convolution(weight);
  const outputs = weight.shape[0];
  if (bias.rank !== 1 || bias.shape[0] !== outputs) {
    throw new PushforwardError("SHAPE", "conv2d cannot add its bias", {
      expected: formatShape([outputs]),
      received: formatShape(bias.shape),
    });
  }
  return value.add(bias.reshape([outputs, 1, 1]));
}
