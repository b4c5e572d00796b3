import { PushforwardError } from "../../errors.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { withGradient } from "../withGradient.ts";

/**
 * Convolution layer with stride 1 and same padding, channels last: x [N, H, W, C], weight [K, K, C, O] with K odd, bias [O] ->
 * [N, H, W, O]. As usual in deep learning it is a cross-correlation: the kernel is not flipped. It is a function, not a method
 * of tensors, so that pages without images do not ship it.
 *
 * It is one product of the weights and the K^2 pixels around each pixel (im2col), which one gather copies. So are its gradients:
 * that with respect to x is a convolution with the kernel rotated by 180 degrees. With 3x3 kernels on one thread this took as
 * long as the runtime's own convolution for 32 and 64 channels, and 60% of it for 128 (`bench/convolution.ts`); the runtime has
 * no gradient of it.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [k, k2, inputs, outputs] = weight.shape as number[];
  const fits = x.rank === 4 && weight.rank === 4 && k === k2 && k % 2 === 1 && inputs === x.shape[3];
  if (!fits) {
    throw new PushforwardError("SHAPE", "conv2d takes x [N, H, W, C] and weight [K, K, C, O] with K odd", {
      received: `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    });
  }
  if (bias && (bias.rank !== 1 || bias.shape[0] !== outputs)) {
    throw new PushforwardError("SHAPE", "conv2d cannot add its bias", {
      expected: formatShape([outputs]),
      received: formatShape(bias.shape),
    });
  }
  if (k > 1) {
    const value = convolution(x, weight);
    return bias ? value.add(bias) : value;
  }
  const matrix = weight.reshape([inputs, outputs]);
  return bias ? x.affine(matrix, bias) : x.matmul(matrix);
}

function convolution(x: Tensor, weight: Tensor): Tensor {
  const [k, , inputs, outputs] = weight.shape as number[];
  const matrix = weight.reshape([k * k * inputs, outputs]);
  return withGradient(neighborhoods(x, k, "after").matmul(matrix), [x, weight], (g) => [
    convolution(g, weight.flip(0).flip(1).transpose([0, 1, 3, 2])),
    // Copied again, from pixels that are padded on the other side so that they are other nodes of the graph: the copies of the
    // forward pass, K^2 times as large as x, need not stay in memory, and it takes no longer.
    neighborhoods(x, k, "before").contractLeading(g).reshape(weight.shape),
  ]);
}

/** The K^2 pixels around each pixel, with zeros outside of the image: [N, H, W, C] -> [N, H, W, K K C]. */
function neighborhoods(x: Tensor, k: number, padding: "before" | "after"): Tensor {
  const [rows, height, width, channels] = x.shape as number[];
  const pixels = height * width;
  const [zero, first] = padding === "before" ? [0, 1] : [pixels, 0];
  const reach = (k - 1) / 2;
  const indices: number[] = [];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let y = row - reach; y <= row + reach; y++)
        for (let x = column - reach; x <= column + reach; x++) {
          const isInside = y >= 0 && y < height && x >= 0 && x < width;
          indices.push(isInside ? first + y * width + x : zero);
        }
  return x
    .reshape([rows, pixels, channels])
    .pad(1, first, 1 - first)
    .gather(1, indices)
    .reshape([rows, height, width, k * k * channels]);
}
