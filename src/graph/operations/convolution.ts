import { PushforwardError } from "../../errors.ts";
import { ElementType, type Emitter, type Operation } from "../operation.ts";
import { formatShape } from "../shape.ts";
import { apply, type Tensor } from "../tensor.ts";

/**
 * Cross-correlation with stride 1 and same padding: x [N, C, H, W], weight [O, C, K, K] with K odd -> [N, O, H, W].
 *
 * The gradient with respect to x is a convolution with the kernel rotated by 180 degrees; that with respect to the weight is K^2
 * products of shifted images. Value and gradients together took 57% of the time of `emitIm2col`, which float64 needs (32
 * images of 28 by 28, 32 channels, K = 3).
 */
const convolution: Operation<Record<string, never>> = {
  name: "convolution",
  needsFullGradient: true,
  shape: ([x, weight]) => {
    const [outputs, inputs, k, k2] = weight.shape as number[];
    const fits = x.rank === 4 && weight.rank === 4 && k === k2 && k % 2 === 1 && inputs === x.shape[1];
    if (!fits) {
      throw new PushforwardError("SHAPE", "conv2d takes x [N, C, H, W] and weight [O, C, K, K] with K odd", {
        received: `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
      });
    }
    return [x.shape[0], outputs, x.shape[2], x.shape[3]];
  },
  gradient: (g, [x, weight]) => [
    apply(convolution, [g, weight.transpose([1, 0, 2, 3]).flip(2).flip(3)]),
    weightGradient(g, x, weight),
  ],
  emit: (onnx, [x, weight], _attributes, [tx, tw]) => {
    const [, , k] = tw.shape as number[];
    const padding = (k - 1) / 2;
    // The runtime has Conv in float32 only.
    return onnx.floatType === ElementType.FLOAT
      ? onnx.node("Conv", [x, weight], { pads: [padding, padding, padding, padding], kernel_shape: [k, k] })
      : emitIm2col(onnx, x, weight, tx, tw);
  },
};

/** For each position of the kernel, the sum over rows and pixels of g times x shifted by it: [O, C, K, K]. */
function weightGradient(g: Tensor, x: Tensor, weight: Tensor): Tensor {
  const [outputs, channels, k] = weight.shape as number[];
  const [rows, , height, width] = x.shape;
  const pixels = (height as number) * (width as number);
  const padded = x.pad(2, (k - 1) / 2, (k - 1) / 2).pad(3, (k - 1) / 2, (k - 1) / 2);
  const flat = g.reshape([rows, outputs, pixels]);
  const products = Array.from({ length: k * k }, (_, i) => {
    const [row, column] = [Math.floor(i / k), i % k];
    const shifted = padded
      .slice(2, row, row + (height as number))
      .slice(3, column, column + (width as number));
    return flat.matmul(shifted.reshape([rows, channels, pixels]), { transposeB: true }).sum(0);
  });
  // Stacked along a new last axis, as a sum of tensors that are padded with zeros.
  const stacked = products.map((m, i) => m.reshape([outputs, channels, 1]).pad(2, i, k * k - 1 - i));
  return stacked.reduce((sum, product) => sum.add(product)).reshape([outputs, channels, k, k]);
}

/** The convolution as one matrix product with shifted copies of the image, concatenated along the channels (im2col). */
function emitIm2col(onnx: Emitter, x: string, weight: string, tx: Tensor, tw: Tensor): string {
  const [outputs, channels, k] = tw.shape as number[];
  const [, , height, width] = tx.shape as number[];
  const padding = (k - 1) / 2;
  const padded = onnx.node("Pad", [x, onnx.integers([0, 0, padding, padding, 0, 0, padding, padding])]);
  const shifts = Array.from({ length: k * k }, (_, i) => {
    const start = [Math.floor(i / k), i % k];
    const end = [start[0] + height, start[1] + width];
    return onnx.node("Slice", [padded, onnx.integers(start), onnx.integers(end), onnx.integers([2, 3])]);
  });
  const joined = onnx.node("Concat", shifts, { axis: 1 });
  const columns = onnx.node("Reshape", [joined, onnx.integers([-1, k * k * channels, height * width])]);
  const kernelFirst = onnx.node("Transpose", [weight], { perm: [0, 2, 3, 1] });
  const matrix = onnx.node("Reshape", [kernelFirst, onnx.integers([outputs, k * k * channels])]);
  return onnx.node("Reshape", [
    onnx.node("MatMul", [matrix, columns]),
    onnx.integers([-1, outputs, height, width]),
  ]);
}

/**
 * Convolution layer with stride 1 and same padding: x [N, C, H, W], weight [O, C, K, K] with K odd, bias [O] -> [N, O, H, W]. It
 * is a function, not a method of tensors, so that pages without images do not ship it. As usual in deep learning it is a cross-correlation: the kernel is not flipped.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const value = apply(convolution, [x, weight]);
  if (!bias) return value;
  const outputs = weight.shape[0];
  if (bias.rank !== 1 || bias.shape[0] !== outputs) {
    throw new PushforwardError("SHAPE", "conv2d cannot add its bias", {
      expected: formatShape([outputs]),
      received: formatShape(bias.shape),
    });
  }
  return value.add(bias.reshape([outputs, 1, 1]));
}
