import { CHANNEL_BLOCKS_DOMAIN, type Emitter, type OnnxAttribute, type Operation } from "../operation.ts";
import { apply, type Tensor } from "../tensor.ts";

// Convolutions in ONNX Runtime's NCHWc layout (channels in blocks of 8 or 16, depending on the processor). ONNX Runtime has internal operators
// for this layout, which it inserts only where weights are constants. Here they are written into the file, so that weights that change, and
// gradients, can use them too. ReorderInput moves channels into blocks, with zeros after the last channel, and ReorderOutput moves them back. Files
// for other runtimes have Conv and Transpose instead.

/** The larger size of a block. Outputs are padded to a multiple of it, so that they fill blocks of both sizes. */
const LARGER_BLOCK_SIZE = 16;

/** The smaller size of a block. Images with fewer channels are not put into blocks: the operator takes them with their channels first. */
const SMALLER_BLOCK_SIZE = 8;

/** ReorderInput takes a number of channels that is a multiple of this number. */
const CHANNEL_MULTIPLE = 4;

/** Strips have at most this many pixels (or one row), so that their part of g stays in the cache during the products with all channels of x. */
const MAX_STRIP_PIXELS = 128;

/** An estimate of the time to copy a row of pixels into a second strip, relative to the time of the products with that row. */
const COST_OF_COPIES = 0.1;

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Adds zeros at the end of an axis, so that its size is a multiple of `multiple`. */
function padToMultiple(x: Tensor, axis: number, multiple: number): Tensor {
  const size = x.shape[axis] as number;
  return x.pad(axis, 0, roundUp(size, multiple) - size);
}

/** Computes `conv2d`. */
export function convolutionOfChannelBlocks(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [, , inputs, outputs] = weight.shape as number[];
  const multiple = inputs < SMALLER_BLOCK_SIZE ? 1 : LARGER_BLOCK_SIZE;
  const kernel = padToMultiple(weight.transpose([3, 0, 1, 2]), 0, LARGER_BLOCK_SIZE);
  const operands = [padToMultiple(x, 3, multiple), padToMultiple(kernel, 3, multiple)];
  const biases = bias ? [padToMultiple(bias, 0, LARGER_BLOCK_SIZE)] : [];
  return apply(convolutionInBlocks, [...operands, ...biases], {}).slice(3, 0, outputs);
}

/** The gradient of `conv2d(x, weight)` with respect to its weight [K, K, C, O], where g is the gradient with respect to the result. */
export function weightGradientOfChannelBlocks(x: Tensor, g: Tensor, k: number): Tensor {
  const [inputs, outputs] = [x, g].map(({ shape }) => shape[3] as number);
  // Only the channels of the second argument are padded to a multiple of 16. The order of x and g with fewer products, zeros included, is chosen.
  if (inputs * roundUp(outputs, LARGER_BLOCK_SIZE) <= outputs * roundUp(inputs, LARGER_BLOCK_SIZE))
    return apply(weightGradientInBlocks, [x, padToMultiple(g, 3, LARGER_BLOCK_SIZE)], { k }).slice(
      3,
      0,
      outputs,
    );
  const rotated = apply(weightGradientInBlocks, [g, padToMultiple(x, 3, LARGER_BLOCK_SIZE)], { k }).slice(
    3,
    0,
    inputs,
  );
  return rotated.flip(0).flip(1).transpose([0, 1, 3, 2]);
}

/** The convolution of x [N, H, W, C] with a kernel [O, K, K, C], where O is a multiple of 16, and a bias [O] -> [N, H, W, O]. */
const convolutionInBlocks: Operation = {
  name: "convolutionOfChannelBlocks",
  shape: ([x, kernel]) => [...x.shape.slice(0, 3), kernel.shape[0]],
  hasComputedShape: true,
  emit(onnx, [x, kernel, ...bias], _attributes, [, { shape }]) {
    const [outputs, k, , channels] = shape as number[];
    const isInBlocks = onnx.hasChannelBlocks && channels >= SMALLER_BLOCK_SIZE;
    const factors = [x, kernel].map((value) =>
      isInBlocks
        ? blocksNode(onnx, "ReorderInput", [value], { channels_last: 1 })
        : onnx.node("Transpose", [value], { perm: [0, 3, 1, 2] }),
    );
    const pads = new Array<number>(4).fill((k - 1) / 2);
    return emitConvolution(onnx, [...factors, ...bias], outputs, { kernel_shape: [k, k], pads });
  },
};

/**
 * For x [N, H, W, C] and g [N, H, W, O], where O is a multiple of 16: the sums over all pixels of products of g with the pixels of x around them,
 * [K, K, C, O]. The sums are computed as one convolution. Its input is one image: the N images are its channels, its height is H, and its width
 * is W C, since the channels of a pixel are next to each other. Its kernels are g: H x W numbers for each output and image. Neighboring columns
 * of a kernel are C columns of the image apart (a dilation of C), so that a kernel reads one channel of x only. Images may be divided into
 * horizontal strips, which then take the places of the N images.
 */
const weightGradientInBlocks: Operation<{ readonly k: number }> = {
  name: "weightGradientOfChannelBlocks",
  shape: ([x, g], { k }) => [k, k, x.shape[3], g.shape[3]],
  hasComputedShape: true,
  emit(onnx, [x, g], { k }, [{ shape }, gradient]) {
    const [, height, width, inputs] = shape as number[];
    const images = shape[0] === "N" ? onnx.batch : shape[0];
    const outputs = gradient.shape[3] as number;
    // In a file for any number of rows, each image is one strip, and -1 stands for their number.
    const { strips, addedImages } =
      images === undefined ? { strips: 1, addedImages: 0 } : stripsOf(images, height, width, k);
    const allStrips = images === undefined ? -1 : (images + addedImages) * strips;
    const stripHeight = height / strips;
    const paddedHeight = stripHeight + k - 1;
    const pad = (value: string, border: number) =>
      addedImages + border === 0
        ? value
        : onnx.node("Pad", [value, onnx.integers([0, border, border, 0, addedImages, border, border, 0])]);
    const reshape = (value: string, sizes: readonly number[]) =>
      onnx.node("Reshape", [value, onnx.integers(sizes)]);
    const padded = pad(x, (k - 1) / 2);
    const rowsOfStrips = Array.from({ length: strips * paddedHeight }, (_, i) => {
      const strip = Math.floor(i / paddedHeight);
      return strip * stripHeight + (i % paddedHeight);
    });
    const overlapping =
      strips === 1 ? padded : onnx.node("Gather", [padded, onnx.integers(rowsOfStrips)], { axis: 1 });
    const image = reshape(overlapping, [1, allStrips, paddedHeight, (width + k - 1) * inputs]);
    const pixels = reshape(pad(g, 0), [allStrips, stripHeight, width, outputs]);
    const kernel = onnx.node("Transpose", [pixels], { perm: [3, 0, 1, 2] });
    const factors = onnx.hasChannelBlocks
      ? [image, kernel].map((value) => blocksNode(onnx, "ReorderInput", [value]))
      : [image, kernel];
    const attributes = { kernel_shape: [stripHeight, width], dilations: [1, inputs] };
    return reshape(emitConvolution(onnx, factors, outputs, attributes), [k, k, inputs, outputs]);
  },
};

/**
 * Into how many strips of equal height images are divided, and how many images of zeros are added so that the number of strips is a multiple of 4,
 * which ReorderInput needs.
 */
function stripsOf(
  images: number,
  height: number,
  width: number,
  k: number,
): { strips: number; addedImages: number } {
  const candidates = Array.from({ length: height }, (_, i) => i + 1).flatMap((strips) => {
    const stripHeight = height / strips;
    const fits =
      Number.isInteger(stripHeight) && (stripHeight === 1 || stripHeight * width <= MAX_STRIP_PIXELS);
    if (!fits) return [];
    const addedImages = [0, 1, 2, 3].find((added) => ((images + added) * strips) % CHANNEL_MULTIPLE === 0)!;
    const inBlocks = roundUp((images + addedImages) * strips, LARGER_BLOCK_SIZE);
    // Zeros take as much time as other numbers, and the rows of pixels in two strips are copied.
    const cost = inBlocks / (images * strips) + (COST_OF_COPIES * (k - 1)) / stripHeight;
    return [{ strips, addedImages, cost }];
  });
  return candidates.reduce((best, candidate) => (candidate.cost < best.cost ? candidate : best));
}

/**
 * The convolution of images [N, C, H, W] with a kernel [O, C, K, L], both in blocks of channels if there are blocks and enough channels:
 * [N, H, W, O].
 */
function emitConvolution(
  onnx: Emitter,
  [images, kernel, ...bias]: readonly string[],
  outputs: number,
  attributes: { readonly kernel_shape: readonly number[]; readonly [name: string]: readonly number[] },
): string {
  if (!onnx.hasChannelBlocks) {
    const convolved = onnx.node("Conv", [images, kernel, ...bias], attributes);
    return onnx.node("Transpose", [convolved], { perm: [0, 2, 3, 1] });
  }
  // The kernels are in blocks of outputs too, so they are reordered as the channels of one image.
  const image = onnx.node("Reshape", [kernel, onnx.integers([1, outputs, 1, -1])]);
  const inBlocks = blocksNode(onnx, "ReorderInput", [image]);
  const sizes = onnx.integers([outputs, -1, ...attributes.kernel_shape]);
  const kernelInBlocks = onnx.node("Reshape", [inBlocks, sizes]);
  const convolved = blocksNode(onnx, "Conv", [images, kernelInBlocks, ...bias], attributes);
  // `channels` includes the padded outputs: ReorderOutput finds the next image by this number, so with blocks of 8 a smaller number would read
  // the wrong image.
  return blocksNode(onnx, "ReorderOutput", [convolved], { channels: outputs, channels_last: 1 });
}

const blocksNode = (
  onnx: Emitter,
  type: string,
  inputs: readonly string[],
  attributes: Record<string, OnnxAttribute> = {},
): string => onnx.node(type, inputs, attributes, 1, CHANNEL_BLOCKS_DOMAIN);
