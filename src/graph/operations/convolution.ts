import { PushforwardError } from "../../errors.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { withGradient } from "../withGradient.ts";

/**
 * Convolution layer with stride 1 and same padding, channels last: x [N, H, W, C], weight [K, K, C, O] with K odd, bias [O] ->
 * [N, H, W, O]. As usual in deep learning it is a cross-correlation: the kernel is not flipped. It is a function, not a method
 * of tensors, so that pages without images do not ship it. Throws `SHAPE` for other shapes.
 *
 * A gather copies the K^2 pixels around each pixel, and one matrix product multiplies them by the weights (im2col). Its gradients
 * are computed in the same way; the gradient with respect to x is a convolution with the kernel rotated by 180 degrees. With 3 x 3
 * kernels on one thread this took as long as the runtime's own convolution for 32 and 64 channels, and 60% of its time for 128
 * (`bench/convolution.ts`); the runtime has no gradient of a convolution. With fewer outputs than inputs, the matrix product comes
 * first, and a gather shifts its smaller results.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [k, k2, inputs, outputs] = weight.shape as number[];
  const isValid = x.rank === 4 && weight.rank === 4 && k === k2 && k % 2 === 1 && inputs === x.shape[3];
  if (!isValid) {
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
    return withGradient(sumOfShiftedProducts(x, weight), [x, weight], (g) => [
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
    // The pixels are gathered again, because the copies of the forward pass are K^2 times as large as x, and keeping them takes as
    // long. The zeros are on the other side, because `optimize` would merge equal nodes.
    neighborhoods(x, k, "before").contractLeading(g).reshape(weight.shape),
  ]);
}

/**
 * The K^2 pixels around each pixel, with zeros outside of the image: [N, H, W, C] -> [N, H, W, K K C]. `padding` says where the
 * pixel of zeros is added, before or after the pixels of the image.
 */
function neighborhoods(x: Tensor, k: number, padding: "before" | "after"): Tensor {
  const [rows, height, width, channels] = x.shape as number[];
  const pixels = height * width;
  const [zero, first] = padding === "before" ? [0, 1] : [pixels, 0];
  const indices = neighborhoodIndices(height, width, k).flatMap((neighbors) =>
    neighbors.map((pixel) => (pixel < 0 ? zero : first + pixel)),
  );
  return x
    .reshape([rows, pixels, channels])
    .pad(1, first, 1 - first)
    .gather(1, indices)
    .reshape([rows, height, width, k * k * channels]);
}

/** The convolution as a sum over the positions of the kernel: each pixel times the matrix [C, O] of a position, shifted by it. */
function sumOfShiftedProducts(x: Tensor, weight: Tensor): Tensor {
  const [rows, height, width] = x.shape as number[];
  const [k, , inputs, outputs] = weight.shape as number[];
  const matrix = weight.reshape([k * k, inputs, outputs]).transpose([1, 0, 2]);
  const products = x
    .matmul(matrix.reshape([inputs, k * k * outputs]))
    .reshape([rows, height * width * k * k, outputs])
    .pad(1, 0, 1);
  const zero = height * width * k * k;
  const neighbors = neighborhoodIndices(height, width, k);
  // Ordered by the position in the kernel and then by the pixel, because the runtime adds a few long rows faster than many short ones.
  const indices = Array.from({ length: k * k }, (_, position) =>
    neighbors.map((pixels) => (pixels[position] < 0 ? zero : pixels[position] * k * k + position)),
  );
  return products
    .gather(1, indices.flat())
    .reshape([rows, k * k, height * width * outputs])
    .sum(1)
    .reshape([rows, height, width, outputs]);
}

/** For each pixel the indices of the K^2 pixels around it, row by row; -1 for a pixel outside of the image. */
function neighborhoodIndices(height: number, width: number, k: number): number[][] {
  const radius = (k - 1) / 2;
  return Array.from({ length: height * width }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    return Array.from({ length: k * k }, (_, position) => {
      const y = row + Math.floor(position / k) - radius;
      const x = column + (position % k) - radius;
      return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : -1;
    });
  });
}
