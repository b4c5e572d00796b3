import { CHANNEL_BLOCKS_DOMAIN, type Emitter, type OnnxAttribute, type Operation } from "../operation.ts";
import { resolveShape } from "../shape.ts";
import { apply, type Tensor } from "../tensor.ts";

// Convolutions of images whose channels are in blocks of 8 or 16, depending on the processor. ONNX Runtime uses them where weights are constants.
// Here its internal operators are written into the file, so that they also serve weights that change, and gradients. ReorderInput moves channels
// into blocks, with zeros after the last channel, and ReorderOutput moves them back. Files for other runtimes have Conv and Transpose instead.

/** A multiple of both sizes of a block. */
const BLOCK = 16;

/** The smaller size of a block. The convolution takes images with fewer channels as they are. */
const MIN_BLOCK = 8;

/** ReorderInput takes a number of channels that is a multiple of this number. */
const CHANNEL_MULTIPLE = 4;

/** Up to this many pixels, the gradients of a block of rows stay in the cache while the products with all channels are computed. */
const MAX_STRIP_PIXELS = 128;

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Adds zeros at the end of an axis. */
function padToMultiple(x: Tensor, axis: number, multiple: number): Tensor {
  const size = x.shape[axis] as number;
  return x.pad(axis, 0, roundUp(size, multiple) - size);
}

/** Computes `conv2d`. */
export function convolutionOfChannelBlocks(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [, , inputs, outputs] = weight.shape as number[];
  const multiple = inputs < MIN_BLOCK ? 1 : BLOCK;
  const kernel = padToMultiple(weight.transpose([3, 0, 1, 2]), 0, BLOCK);
  const operands = [padToMultiple(x, 3, multiple), padToMultiple(kernel, 3, multiple)];
  const biases = bias ? [padToMultiple(bias, 0, BLOCK)] : [];
  return apply(convolution, [...operands, ...biases], { outputs });
}

/** The gradient of `conv2d(x, weight)` with respect to its weight [K, K, C, O], where g is the gradient with respect to the result. */
export function weightGradientOfChannelBlocks(x: Tensor, g: Tensor, k: number): Tensor {
  const [inputs, outputs] = [x, g].map(({ shape }) => shape[3] as number);
  // Only the channels of the second factor fill blocks.
  if (inputs * roundUp(outputs, BLOCK) <= outputs * roundUp(inputs, BLOCK))
    return apply(weightGradient, [x, padToMultiple(g, 3, BLOCK)], { k }).slice(3, 0, outputs);
  const rotated = apply(weightGradient, [g, padToMultiple(x, 3, BLOCK)], { k }).slice(3, 0, inputs);
  return rotated.flip(0).flip(1).transpose([0, 1, 3, 2]);
}

/** The first `outputs` channels of the convolution of x [N, H, W, C] with a kernel [O, K, K, C], O a multiple of 16, and a bias [O]. */
const convolution: Operation<{ readonly outputs: number }> = {
  name: "convolutionOfChannelBlocks",
  shape: ([x], { outputs }) => [...x.shape.slice(0, 3), outputs],
  hasComputedShape: true,
  emit(onnx, [x, kernel, ...bias], { outputs }, [, { shape }]) {
    const [allOutputs, k, , channels] = shape as number[];
    const isInBlocks = onnx.hasChannelBlocks && channels >= MIN_BLOCK;
    const [image, channelsFirst] = [x, kernel].map((value) =>
      isInBlocks
        ? blocksNode(onnx, "ReorderInput", [value], { channels_last: 1 })
        : onnx.node("Transpose", [value], { perm: [0, 3, 1, 2] }),
    );
    const attributes = { kernel_shape: [k, k], pads: new Array<number>(4).fill((k - 1) / 2) };
    const channelCounts = { all: allOutputs, first: outputs };
    return emitConvolution(onnx, [image, channelsFirst, ...bias], attributes, channelCounts);
  },
};

/**
 * For x [N, H, W, C] and g [N, H, W, O], O a multiple of 16, the sums over all pixels of products of g with the pixels around them:
 * [K, K, C, O]. It is a convolution of one image, whose channels are the rows N. This image has the height H and the width W C, and g is a
 * kernel of H x W pixels with a distance of C between its columns, so that each result is a sum over the pixels of one channel of x. In place of
 * whole images, strips of them may be rows.
 */
const weightGradient: Operation<{ readonly k: number }> = {
  name: "weightGradientOfChannelBlocks",
  shape: ([x, g], { k }) => [k, k, x.shape[3], g.shape[3]],
  hasComputedShape: true,
  emit(onnx, [x, g], { k }, [{ shape }, gradient]) {
    const [images, height, width, inputs] = resolveShape(shape, onnx.batch!);
    const outputs = gradient.shape[3] as number;
    const { strips, addedRows } = stripsOf(images, height, width, k);
    const rows = (images + addedRows) * strips;
    const stripHeight = height / strips;
    const paddedHeight = stripHeight + k - 1;
    const pad = (value: string, border: number) =>
      addedRows + border === 0
        ? value
        : onnx.node("Pad", [value, onnx.integers([0, border, border, 0, addedRows, border, border, 0])]);
    const reshape = (value: string, sizes: readonly number[]) =>
      onnx.node("Reshape", [value, onnx.integers(sizes)]);
    const padded = pad(x, (k - 1) / 2);
    const rowsOfStrips = Array.from({ length: strips * paddedHeight }, (_, i) => {
      const strip = Math.floor(i / paddedHeight);
      return strip * stripHeight + (i % paddedHeight);
    });
    const overlapping =
      strips === 1 ? padded : onnx.node("Gather", [padded, onnx.integers(rowsOfStrips)], { axis: 1 });
    const image = reshape(overlapping, [1, rows, paddedHeight, (width + k - 1) * inputs]);
    const kernel = onnx.node("Transpose", [reshape(pad(g, 0), [rows, stripHeight, width, outputs])], {
      perm: [3, 0, 1, 2],
    });
    const factors = onnx.hasChannelBlocks
      ? [image, kernel].map((value) => blocksNode(onnx, "ReorderInput", [value]))
      : [image, kernel];
    const attributes = { kernel_shape: [stripHeight, width], dilations: [1, inputs] };
    const convolved = emitConvolution(onnx, factors, attributes, { all: outputs, first: outputs });
    return reshape(convolved, [k, k, inputs, outputs]);
  },
};

/** Into how many strips of equal height images are divided, and how many rows of zeros are added so that there are enough strips for blocks. */
function stripsOf(
  rows: number,
  height: number,
  width: number,
  k: number,
): { strips: number; addedRows: number } {
  const candidates = Array.from({ length: height }, (_, i) => i + 1).flatMap((strips) => {
    const stripHeight = height / strips;
    const fits =
      Number.isInteger(stripHeight) && (stripHeight === 1 || stripHeight * width <= MAX_STRIP_PIXELS);
    if (!fits) return [];
    const addedRows = [0, 1, 2, 3].find((added) => ((rows + added) * strips) % CHANNEL_MULTIPLE === 0)!;
    const inBlocks = roundUp((rows + addedRows) * strips, BLOCK);
    // Zeros take as much time as other numbers, and the pixels in two strips are copied.
    const cost = inBlocks / (rows * strips) + (0.1 * (k - 1)) / stripHeight;
    return [{ strips, addedRows, cost }];
  });
  return candidates.reduce((best, candidate) => (candidate.cost < best.cost ? candidate : best));
}

/**
 * The convolution of images [N, C, H, W] with a kernel [O, C, K, L], both in blocks of channels if there are blocks and enough channels, without
 * the channels after the first ones: [N, H, W, O].
 */
function emitConvolution(
  onnx: Emitter,
  [images, kernel, ...bias]: readonly string[],
  attributes: { readonly kernel_shape: readonly number[]; readonly [name: string]: readonly number[] },
  outputs: { readonly all: number; readonly first: number },
): string {
  if (!onnx.hasChannelBlocks) {
    const convolved = onnx.node("Conv", [images, kernel, ...bias], attributes);
    const transposed = onnx.node("Transpose", [convolved], { perm: [0, 2, 3, 1] });
    if (outputs.first === outputs.all) return transposed;
    const [start, end, axis] = [[0], [outputs.first], [3]].map((values) => onnx.integers(values));
    return onnx.node("Slice", [transposed, start, end, axis]);
  }
  // The kernels are in blocks of outputs too, so they are reordered as the channels of one image.
  const image = onnx.node("Reshape", [kernel, onnx.integers([1, outputs.all, 1, -1])]);
  const inBlocks = blocksNode(onnx, "ReorderInput", [image]);
  const sizes = onnx.integers([outputs.all, -1, ...attributes.kernel_shape]);
  const kernelInBlocks = onnx.node("Reshape", [inBlocks, sizes]);
  const convolved = blocksNode(onnx, "Conv", [images, kernelInBlocks, ...bias], attributes);
  return blocksNode(onnx, "ReorderOutput", [convolved], { channels: outputs.first, channels_last: 1 });
}

const blocksNode = (
  onnx: Emitter,
  type: string,
  inputs: readonly string[],
  attributes: Record<string, OnnxAttribute> = {},
): string => onnx.node(type, inputs, attributes, 1, CHANNEL_BLOCKS_DOMAIN);
