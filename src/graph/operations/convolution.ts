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
 * no gradient of it. With fewer outputs than inputs the products come first, and their smaller results are moved.
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
  const gradientOfX = (g: Tensor) => convolution(g, weight.flip(0).flip(1).transpose([0, 1, 3, 2]));
  if (outputs < inputs) {
    return withGradient(sumOfMovedProducts(x, weight), [x, weight], (g) => [
      gradientOfX(g),
      x
        .contractLeading(neighborhoods(g, k, "after"))
        .reshape([inputs, k, k, outputs])
        .flip(1)
        .flip(2)
        .transpose([1, 2, 0, 3]),
    ]);
  }
  const value = neighborhoods(x, k, "after").matmul(weight.reshape([k * k * inputs, outputs]));
  return withGradient(value, [x, weight], (g) => [
    gradientOfX(g),
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
  const indices = placesAround(height, width, k).flatMap((places) =>
    places.map((place) => (place < 0 ? zero : first + place)),
  );
  return x
    .reshape([rows, pixels, channels])
    .pad(1, first, 1 - first)
    .gather(1, indices)
    .reshape([rows, height, width, k * k * channels]);
}

/** The convolution from the products of each pixel with the K^2 matrices of the kernel, [N, H, W, O]. */
function sumOfMovedProducts(x: Tensor, weight: Tensor): Tensor {
  const [rows, height, width] = x.shape as number[];
  const [k, , inputs, outputs] = weight.shape as number[];
  const matrix = weight.reshape([k * k, inputs, outputs]).transpose([1, 0, 2]);
  const products = x
    .matmul(matrix.reshape([inputs, k * k * outputs]))
    .reshape([rows, height * width * k * k, outputs])
    .pad(1, 0, 1);
  const zero = height * width * k * k;
  const around = placesAround(height, width, k);
  // All pixels for the first position of the kernel, then all for the second one: the runtime adds a few long rows fast.
  const indices = Array.from({ length: k * k }, (_, position) =>
    around.map((places) => (places[position] < 0 ? zero : places[position] * k * k + position)),
  );
  return products
    .gather(1, indices.flat())
    .reshape([rows, k * k, height * width * outputs])
    .sum(1)
    .reshape([rows, height, width, outputs]);
}

/** For each pixel the K^2 pixels around it, row by row; -1 outside of the image. */
function placesAround(height: number, width: number, k: number): number[][] {
  const reach = (k - 1) / 2;
  return Array.from({ length: height * width }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    return Array.from({ length: k * k }, (_, position) => {
      const y = row + Math.floor(position / k) - reach;
      const x = column + (position % k) - reach;
      return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : -1;
    });
  });
}
