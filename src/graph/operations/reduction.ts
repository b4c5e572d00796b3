import { checkOptions, trueOrFalse } from "../../check/index.ts";
import type { Emitter, Operation } from "../operation.ts";
import { normalizeAxes, type Shape } from "../shape.ts";
import { apply, type Tensor } from "../tensor.ts";
import { isTransposedMatrix } from "./structure.ts";

/** The axes to reduce, sorted and non-negative, and whether they stay as axes of size 1. */
export type Reduction = { readonly axes: readonly number[]; readonly keepAxes: boolean };

/** Applies a reduction over `axes`, by default all axes. */
export function reduce(
  x: Tensor,
  operation: Operation<Reduction>,
  axes: number | readonly number[] | undefined,
  options: { keepAxes?: boolean },
): Tensor {
  checkOptions(operation.name, options, { keepAxes: trueOrFalse });
  const { keepAxes = false } = options;
  const positions = normalizeAxes(operation.name, axes, x.shape);
  return positions.length === 0 ? x : apply(operation, [x], { axes: positions, keepAxes });
}

function reducedShape(shape: Shape, { axes, keepAxes }: Reduction): Shape {
  return keepAxes
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i));
}

/** A gradient of the output, reshaped so that it broadcasts against the input. */
function broadcastable(g: Tensor, output: Tensor, input: Tensor, reduction: Reduction): Tensor {
  if (g.shape.length === 0 || reduction.keepAxes) return g;
  return g.broadcastTo(output.shape).reshape(reducedShape(input.shape, { ...reduction, keepAxes: true }));
}

export const sum: Operation<Reduction> = {
  name: "sum",
  additive: true,
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => [broadcastable(g, y, x, reduction)],
  emit: (onnx, [x], { axes, keepAxes }, [{ shape }]) => {
    const isOverRows = axes.length === 1 && axes[0] === shape.length - 2;
    if (isOverRows && (shape.length === 2 || shape.at(-1) === "N")) {
      // For long rows, as in gradients of biases, a product with ones can be several times faster than ReduceSum.
      const size = shape[axes[0]];
      const rows = size === "N" ? onnx.batch : size;
      if (rows !== undefined) {
        return onnx.node("MatMul", [onnx.filled(1, keepAxes ? [1, rows] : [rows]), x]);
      }
    }
    return onnx.node("ReduceSum", [x, onnx.integers(axes)], { keepdims: keepAxes ? 1 : 0 });
  },
  simplify: ({ inputs: [x], attributes }) => {
    const { axes, keepAxes } = attributes as Reduction;
    // The runtime's ReduceSum over axes of size 1 takes much longer than a reshape, which has the same result.
    if (axes.every((axis) => x.shape[axis] === 1))
      return x.reshape(reducedShape(x.shape, { axes, keepAxes }));
    if (keepAxes || !isTransposedMatrix(x)) return undefined;
    return x.inputs[0].sum(axes.map((axis) => 1 - axis));
  },
};

/** The largest element. Elements that are equally large share the gradient evenly. */
export const max: Operation<Reduction> = {
  name: "max",
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => {
    const isLargest = x.equal(broadcastable(y, y, x, reduction)).toFloat();
    const share = isLargest.div(isLargest.sum(reduction.axes, { keepAxes: true }));
    return [broadcastable(g, y, x, reduction).mul(share)];
  },
  emit: (onnx, [x], { axes, keepAxes }) =>
    onnx.node("ReduceMax", [x, onnx.integers(axes)], { keepdims: keepAxes ? 1 : 0 }),
};

/**
 * log(sum(exp(x))), with the largest element subtracted before exp and added after log. Its gradient is 0 where the result is
 * -Infinity. It is composed of operators that together are several times faster than ReduceLogSumExp.
 */
export const logsumexp: Operation<Reduction> = {
  name: "logsumexp",
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => {
    const finite = y.equal(Number.NEGATIVE_INFINITY).where(0, y);
    return [broadcastable(g, y, x, reduction).mul(x.sub(broadcastable(finite, y, x, reduction)).exp())];
  },
  emit: (onnx, [x], { axes, keepAxes }, [{ shape }]) => {
    const reducedAxes = onnx.integers(axes);
    const isOverPairs = axes.length === 1 && shape[axes[0]] === 2;
    const result = isOverPairs ? logsumexpOfPairs(onnx, x, axes[0]) : logsumexpOver(onnx, x, reducedAxes);
    return keepAxes ? result : onnx.node("Squeeze", [result, reducedAxes]);
  },
};

/** logsumexp with axes of size 1 in place of the reduced ones. */
function logsumexpOver(onnx: Emitter, x: string, axes: string): string {
  const shift = finiteShift(onnx, onnx.node("ReduceMax", [x, axes], { keepdims: 1 }));
  const powers = onnx.node("Exp", [onnx.node("Sub", [x, shift])]);
  const total = onnx.node("ReduceSum", [powers, axes], { keepdims: 1 });
  return onnx.node("Add", [onnx.node("Log", [total]), shift]);
}

/** `logsumexpOver` of an axis of size 2. The runtime computes a maximum and a sum of two tensors faster than reductions of one. */
function logsumexpOfPairs(onnx: Emitter, x: string, axis: number): string {
  const first = onnx.node("Split", [x, onnx.integers([1, 1])], { axis }, 2);
  const pair = [first, `${first}.1`];
  const shift = finiteShift(onnx, onnx.node("Max", pair));
  const powers = pair.map((each) => onnx.node("Exp", [onnx.node("Sub", [each, shift])]));
  return onnx.node("Add", [onnx.node("Log", [onnx.node("Add", powers)]), shift]);
}

/** The largest element, clamped because an infinite shift would give Infinity - Infinity = NaN. */
const finiteShift = (onnx: Emitter, largest: string): string =>
  onnx.node("Clip", [largest, onnx.scalar(-onnx.largest), onnx.scalar(onnx.largest)]);

type Axis = { readonly axis: number };

export const softmax: Operation<Axis> = {
  name: "softmax",
  shape: ([x]) => x.shape,
  gradient: (g, _inputs, y, { axis }) => {
    const gy = g.mul(y);
    return [gy.sub(y.mul(gy.sum([axis], { keepAxes: true })))];
  },
  emit: (onnx, inputs, { axis }) => onnx.node("Softmax", inputs, { axis }),
};

export const logSoftmax: Operation<Axis> = {
  name: "logSoftmax",
  needsFullGradient: true,
  shape: ([x]) => x.shape,
  gradient: (g, _inputs, y, { axis }) => [g.sub(y.exp().mul(g.sum([axis], { keepAxes: true })))],
  emit: (onnx, inputs, { axis }) => onnx.node("LogSoftmax", inputs, { axis }),
};

/** Cumulative sum along an axis, from its end if `reverse`. */
export const cumsum: Operation<Axis & { readonly reverse: boolean }> = {
  name: "cumsum",
  needsFullGradient: true,
  shape: ([x]) => x.shape,
  gradient: (g, _inputs, _y, { axis, reverse }) => [g.cumsum(axis, { reverse: !reverse })],
  emit: (onnx, [x], { axis, reverse }) =>
    onnx.node("CumSum", [x, onnx.integers([axis])], { reverse: reverse ? 1 : 0 }),
};
