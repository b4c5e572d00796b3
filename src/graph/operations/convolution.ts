import { PushforwardError } from "../../check/index.ts";
import type { Emitter, Operation } from "../operation.ts";
import { formatShape } from "../shape.ts";
import { apply, concat, type Tensor } from "../tensor.ts";
import { convolutionOfChannelBlocks, weightGradientOfChannelBlocks } from "./channelBlocks.ts";
import { sumOverPixels } from "./sumOverPixels.ts";

/**
 * Convolution layer with stride 1 and same padding, channels last: x [N, H, W, C], weight [K, K, C, O] with K odd, bias [O] ->
 * [N, H, W, O]. As usual in deep learning it is a cross-correlation: the kernel is not flipped. It is a function, not a method
 * of tensors, so that pages without images do not ship it. Throws `SHAPE` for other shapes.
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
  return apply(convolution, bias ? [x, weight, bias] : [x, weight], {});
}

/**
 * The runtime has neither gradients of convolutions nor convolutions in float64. So a convolution is computed in one of six ways. `expand` chooses
 * the first that fits, for weights that change, for gradients, in float64 and in loops:
 *
 * - a matrix product, if K = 1;
 * - a convolution in the NCHWc layout (`channelBlocks.ts`), with onnxruntime-node on an x64 processor in float32 for a fixed number of rows, unless
 *   there are few outputs and more inputs. With 3 x 3 kernels on one thread, a convolution with both gradients takes 0.57, 0.52 and 0.70 of the
 *   time of the next two ways for 32, 64 and 128 channels (`bench/convolution.ts`);
 * - a matrix product of all pixels and then shifts of its results, if there are fewer outputs than inputs, so that the results are smaller;
 * - copies of the K^2 pixels around each pixel and then one matrix product (im2col).
 *
 * For weights that are constants of a file in float32, there are two ways (`expandFixed`):
 *
 * - the sum of the convolutions with the columns of the kernel, if K > 1 and there are few outputs and more inputs;
 * - the runtime's convolution, for which it rearranges the weights into the NCHWc layout.
 *
 * The gradient with respect to x is a convolution with the kernel rotated by 180 degrees.
 */
const convolution: Operation = {
  name: "convolution",
  isConvolution: true,
  needsFullGradient: true,
  shape: ([x, weight]) => [...x.shape.slice(0, 3), weight.shape[3]],
  gradient(g, [x, weight, bias]) {
    const [k] = weight.shape as number[];
    const gradients = [
      conv2d(g, rotated(weight)),
      k === 1 ? gradientOfMatrix(x, g) : gradientOfWeight(x, g, k),
    ];
    return bias ? [...gradients, sumOverPixels(g)] : gradients;
  },
  expand([x, weight, bias], _attributes, channelBlocks) {
    const [k, , inputs, outputs] = weight.shape as number[];
    if (k === 1) {
      const matrix = weight.reshape([inputs, outputs]);
      return bias ? x.affine(matrix, bias) : x.matmul(matrix);
    }
    if (channelBlocks && (outputs >= inputs || outputs > MAX_OUTPUTS_FOR_SHIFTED_PRODUCTS))
      return convolutionOfChannelBlocks(x, weight, bias);
    const value =
      outputs < inputs
        ? sumOfShiftedProducts(x, weight)
        : neighborhoods(x, k, "after").matmul(weight.reshape([k * k * inputs, outputs]));
    return bias ? value.add(bias) : value;
  },
  expandFixed([x, weight, bias]) {
    const [k, , inputs, outputs] = weight.shape as number[];
    const hasFewOutputs = outputs < inputs && outputs <= MAX_OUTPUTS_FOR_COLUMNS;
    return k > 1 && hasFewOutputs ? sumOfColumns(x, weight, bias) : undefined;
  },
  emit(onnx, inputs, _attributes, [, { shape }]) {
    const images = emitConvolution(onnx, inputs, shape as number[]);
    return onnx.node("Transpose", [images], { perm: [0, 2, 3, 1] });
  },
};

/** Up to this many outputs, if there are more inputs, shifted products take less time than the NCHWc layout, in which most channels would be zeros. */
const MAX_OUTPUTS_FOR_SHIFTED_PRODUCTS = 8;

/** The kernel [K, K, O, C] of the gradient with respect to x. */
function rotated(weight: Tensor): Tensor {
  const [k, , inputs, outputs] = weight.shape as number[];
  const pixels = weight.reshape([k * k, inputs, outputs]).flip(0);
  return pixels.reshape([k, k, inputs, outputs]).transpose([0, 1, 3, 2]);
}

/**
 * The runtime's convolution computes 16 output channels at once, even if there are fewer. So up to this many outputs are computed separately for
 * each of the K columns of the kernel, as channels of one convolution with a K x 1 kernel, and are then shifted and added. With 3 x 3 kernels and
 * 4 outputs, each pixel of each input takes 3 x 16 products instead of 9 x 16. Drawing 64 images from a Glow took 22 instead of 26 ms on two threads
 * (`bench/images/EXPERIMENTS.md`).
 */
const MAX_OUTPUTS_FOR_COLUMNS = 8;

/** The convolution as the sum of the convolutions with the columns of the kernel, shifted by their positions. */
function sumOfColumns(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const [k, , inputs, outputs] = weight.shape as number[];
  const width = x.shape[2] as number;
  const columns = weight.transpose([0, 2, 1, 3]).reshape([k, 1, inputs, k * outputs]);
  // The bias is added with the first column only, so that each pixel gets it once.
  const biases = bias ? [bias.pad(0, 0, (k - 1) * outputs)] : [];
  return apply(convolutionOfColumns, [x, columns, ...biases], {})
    .split(1, new Array<number>(k).fill(outputs))
    .map((images, column) => images.slice(3, column, column + width))
    .reduce((sum, shifted) => sum.add(shifted))
    .transpose([0, 2, 3, 1]);
}

/** x [N, H, W, C], padded by (K - 1) / 2 at each side, weight [K, 1, C, K O] and bias [K O] -> [N, K O, H, W + K - 1]. */
const convolutionOfColumns: Operation = {
  name: "convolutionOfColumns",
  isConvolution: true,
  shape: ([{ shape: images }, { shape: weight }]) => {
    const [rows, height, width] = images;
    return [rows, weight[3], height, (width as number) + (weight[0] as number) - 1];
  },
  emit: (onnx, inputs, _attributes, [, { shape }]) => emitConvolution(onnx, inputs, shape as number[]),
};

/** The runtime's convolution with a K x K or K x 1 kernel, and (K - 1) / 2 zeros at each side. Its results have their channels before their rows: [N, O, H, W]. */
function emitConvolution(
  onnx: Emitter,
  [x, weight, ...bias]: readonly string[],
  [height, width]: readonly number[],
): string {
  const images = onnx.node("Transpose", [x], { perm: [0, 3, 1, 2] });
  const kernel = onnx.node("Transpose", [weight], { perm: [3, 2, 0, 1] });
  const pads = new Array<number>(4).fill((height - 1) / 2);
  const attributes = { kernel_shape: [height, width], strides: [1, 1], pads };
  return onnx.node("Conv", [images, kernel, ...bias], attributes);
}

/** The gradient of `conv2d(x, weight)` with respect to its weight [1, 1, C, O], where g is the gradient with respect to the result. */
const gradientOfMatrix = (x: Tensor, g: Tensor): Tensor =>
  x.contractLeading(g).reshape([1, 1, x.shape[3], g.shape[3]]);

/** With fewer inputs or outputs than this, the gradient of a weight takes less time as a product with shifted images than in the NCHWc layout. */
const MIN_CHANNELS_FOR_BLOCKS = 4;

/** The gradient with respect to a weight [K, K, C, O]. */
const gradientOfWeight = (x: Tensor, g: Tensor, k: number): Tensor => apply(weightGradient, [x, g], { k });

const weightGradient: Operation<{ readonly k: number }> = {
  name: "weightGradient",
  needsFullGradient: true,
  shape: ([x, g], { k }) => [k, k, x.shape[3], g.shape[3]],
  gradient: (gradient, [x, g]) => [conv2d(g, rotated(gradient)), conv2d(x, gradient)],
  expand([x, g], { k }, channelBlocks) {
    const [inputs, outputs] = [x, g].map(({ shape }) => shape[3] as number);
    if (channelBlocks && Math.min(inputs, outputs) >= MIN_CHANNELS_FOR_BLOCKS)
      return weightGradientOfChannelBlocks(x, g, k);
    // The neighborhoods of the forward pass are K^2 times as large as x, and keeping them takes as long as gathering the pixels again. The pixel
    // of zeros is added on the other side here: otherwise `optimize` would merge this gather with that of the forward pass. The product takes
    // less time with the smaller factor transposed.
    if (outputs > inputs) {
      const transposed = g.contractLeading(neighborhoods(x, k, "before"));
      return transposed.transpose().reshape([k, k, inputs, outputs]);
    }
    // The gradient of x multiplies the same neighborhoods, and `optimize` merges them.
    return x
      .contractLeading(neighborhoods(g, k, "after"))
      .reshape([inputs, k, k, outputs])
      .flip(1)
      .flip(2)
      .transpose([1, 2, 0, 3]);
  },
  // Where g is a constant, as in the gradient of a sum of results.
  expandFixed: (inputs, attributes) => weightGradient.expand!(inputs, attributes, false),
  emit() {
    throw new Error("the gradient of a convolution was not expanded");
  },
};

/** Up to this many channels, images are shifted as a whole: a gather takes as long for pixels of 2 numbers as for pixels of 16. */
const MAX_SHIFTED_CHANNELS = 4;

/**
 * The K^2 pixels around each pixel, with zeros outside of the image: [N, H, W, C] -> [N, H, W, K K C]. In a gather, `padding` says where the
 * pixel of zeros is added, before or after the pixels of the image.
 */
function neighborhoods(x: Tensor, k: number, padding: "before" | "after"): Tensor {
  const [rows, height, width, channels] = x.shape as number[];
  if (channels <= MAX_SHIFTED_CHANNELS) {
    const padded = padImages(x.transpose([0, 3, 1, 2]), k);
    const shifted = Array.from({ length: k * k }, (_, position) => shiftedImages(padded, k, position));
    return concat(shifted, 1).transpose([0, 2, 3, 1]);
  }
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

/** Images [N, C, H, W] with (K - 1) / 2 zeros at each side. */
function padImages(images: Tensor, k: number): Tensor {
  const radius = (k - 1) / 2;
  return images.pad(2, radius, radius).pad(3, radius, radius);
}

/** From padded images, the images [N, C, H, W] whose pixels are those at a position of the K x K kernel around each pixel. */
function shiftedImages(padded: Tensor, k: number, position: number): Tensor {
  const [, , height, width] = padded.shape as number[];
  const [row, column] = [Math.floor(position / k), position % k];
  return padded.slice(2, row, height + 1 - k + row).slice(3, column, width + 1 - k + column);
}

/** The convolution as a sum over the positions of the kernel: each pixel times the matrix [C, O] of a position, shifted by it. */
function sumOfShiftedProducts(x: Tensor, weight: Tensor): Tensor {
  const [rows, height, width] = x.shape as number[];
  const [k, , inputs, outputs] = weight.shape as number[];
  const matrix = weight.reshape([k * k, inputs, outputs]).transpose([1, 0, 2]);
  const products = x.matmul(matrix.reshape([inputs, k * k * outputs]));
  if (outputs <= MAX_SHIFTED_CHANNELS) {
    return padImages(products.transpose([0, 3, 1, 2]), k)
      .split(1, new Array<number>(k * k).fill(outputs))
      .map((images, position) => shiftedImages(images, k, position))
      .reduce((sum, shifted) => sum.add(shifted))
      .transpose([0, 2, 3, 1]);
  }
  const zero = height * width * k * k;
  const neighbors = neighborhoodIndices(height, width, k);
  // Ordered by the position in the kernel and then by the pixel, because the runtime adds a few long rows faster than many short ones.
  const indices = Array.from({ length: k * k }, (_, position) =>
    neighbors.map((pixels) => (pixels[position] < 0 ? zero : pixels[position] * k * k + position)),
  );
  return products
    .reshape([rows, height * width * k * k, outputs])
    .pad(1, 0, 1)
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
