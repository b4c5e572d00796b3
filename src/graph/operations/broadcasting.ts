import type { Emitter } from "../operation.ts";
import { broadcastShapes, type Shape, sameShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Up to this size of the last axis, a product with ones copies a column faster than the runtime's elementwise kernels do. */
const MAX_COPIES_BY_PRODUCT = 64;

/**
 * Brings inputs into a form that the runtime broadcasts fast. The runtime splits an elementwise operation into runs of elements
 * without broadcasting, and each run costs about 9 ns in addition to its arithmetic:
 * - [N, 8] with [N, 1] has N runs of 8: the product of [N, 1] with ones [1, 8] makes the copies in a fifth of that time.
 * - [N, 1] with a scalar of shape [] or [1] has N runs of 1; with a scalar of shape [1, 1] it has a single run.
 */
export function broadcastInputs(
  onnx: Emitter,
  inputs: readonly string[],
  tensors: readonly Tensor[],
  { shape }: Tensor,
): string[] {
  const columns = shape.at(-1);
  const isShort = typeof columns === "number" && columns > 1 && columns <= MAX_COPIES_BY_PRODUCT;
  return inputs.map((name, i) => {
    const { shape: inputShape, type } = tensors[i];
    if (inputShape.every((d) => d === 1)) return reshapeScalar(onnx, name, inputShape, shape);
    const isColumn = inputShape.at(-1) === 1;
    if (!isShort || !isColumn || type === "bool") return name;
    return onnx.node("MatMul", [name, onnx.node("Expand", [onnx.scalar(1), onnx.integers([1, columns])])]);
  });
}

/** Gives a scalar the rank of an output that has an axis of size 1, so that the runtime broadcasts it in a single run. */
export function reshapeScalar(onnx: Emitter, name: string, scalarShape: Shape, outputShape: Shape): string {
  return scalarShape.length < outputShape.length && outputShape.includes(1)
    ? onnx.node("Reshape", [name, onnx.integers(outputShape.map(() => 1))])
    : name;
}

/** Up to this many numbers, a constant is copied for all pixels of a row: longer runs would not save more time. */
const MAX_COPIES_FOR_PIXELS = 4096;

/**
 * A constant of shape [C] as [P, C], where `shape` is [N, P, C], and likewise for more axes. The runtime then has one run for each row instead of one
 * for each pixel (see `broadcastInputs`). Undefined if the constant has the shape of a row, is one number, has an axis
 * that a row does not have, or if a row has more than `MAX_COPIES_FOR_PIXELS` numbers.
 */
export function copiesForPixels(numbers: Tensor, shape: Shape): Tensor | undefined {
  const [rows, ...pixels] = shape;
  const isOneNumber = numbers.shape.every((d) => d === 1);
  if (rows !== "N" || isOneNumber || sameShape(numbers.shape, pixels)) return undefined;
  const isLarger = sizeOf(pixels) > MAX_COPIES_FOR_PIXELS;
  if (isLarger || !sameShape(broadcastShapes("copies", numbers.shape, pixels), pixels)) return undefined;
  return numbers.broadcastTo(pixels);
}
