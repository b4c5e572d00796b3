import type { Operation } from "../operation.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Sorted, non-negative axes. */
export type Reduction = { readonly axes: readonly number[]; readonly keepAxes: boolean };

function reducedShape(shape: Shape, { axes, keepAxes }: Reduction): Shape {
  return keepAxes
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i));
}

/** A gradient of the reduced shape, laid out so that it broadcasts against the input. */
function spread(g: Tensor, output: Tensor, input: Tensor, reduction: Reduction): Tensor {
  if (g.shape.length === 0 || reduction.keepAxes) return g;
  return g.broadcastTo(output.shape).reshape(reducedShape(input.shape, { ...reduction, keepAxes: true }));
}

export const sum: Operation<Reduction> = {
  name: "sum",
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => [spread(g, y, x, reduction)],
  emit: (onnx, [x], { axes, keepAxes }, [{ shape }]) => {
    const down = axes.length === 1 && axes[0] === shape.length - 2;
    if (down && (shape.length === 2 || shape.at(-1) === "N")) {
      // Down long rows, as for the gradients of biases, a product with ones runs up to several times faster.
      const size = shape[axes[0]];
      const rows = size === "N" ? onnx.batch : size;
      if (rows !== undefined) {
        return onnx.node("MatMul", [onnx.filled(1, keepAxes ? [1, rows] : [rows]), x]);
      }
    }
    return onnx.node("ReduceSum", [x, onnx.integers(axes)], { keepdims: keepAxes ? 1 : 0 });
  },
};

/** The largest element; the gradient is shared evenly among ties. */
export const max: Operation<Reduction> = {
  name: "max",
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => {
    const top = x.equal(spread(y, y, x, reduction)).toFloat();
    const share = top.div(top.sum(reduction.axes, { keepAxes: true }));
    return [spread(g, y, x, reduction).mul(share)];
  },
  emit: (onnx, [x], { axes, keepAxes }) =>
    onnx.node("ReduceMax", [x, onnx.integers(axes)], { keepdims: keepAxes ? 1 : 0 }),
};

/**
 * log(sum(exp(x))) with the largest element taken out first; its gradient is 0 where the result is -Infinity.
 * Written from parts, which run several times faster than ReduceLogSumExp.
 */
export const logsumexp: Operation<Reduction> = {
  name: "logsumexp",
  shape: ([x], reduction) => reducedShape(x.shape, reduction),
  gradient: (g, [x], y, reduction) => {
    const finite = y.equal(Number.NEGATIVE_INFINITY).where(0, y);
    return [spread(g, y, x, reduction).mul(x.sub(spread(finite, y, x, reduction)).exp())];
  },
  emit: (onnx, [x], { axes, keepAxes }) => {
    const over = onnx.integers(axes);
    const top = onnx.node("ReduceMax", [x, over], { keepdims: 1 });
    // Shifting by an infinite top would make NaN of Infinity - Infinity.
    const shift = onnx.node("Clip", [top, onnx.scalar(-onnx.largest), onnx.scalar(onnx.largest)]);
    const total = onnx.node("ReduceSum", [onnx.node("Exp", [onnx.node("Sub", [x, shift])]), over], {
      keepdims: 1,
    });
    const result = onnx.node("Add", [onnx.node("Log", [total]), shift]);
    return keepAxes ? result : onnx.node("Squeeze", [result, over]);
  },
};

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

/** Running sum along an axis, from the end if `reverse`. */
export const cumsum: Operation<Axis & { readonly reverse: boolean }> = {
  name: "cumsum",
  needsFullGradient: true,
  shape: ([x]) => x.shape,
  gradient: (g, _inputs, _y, { axis, reverse }) => [g.cumsum(axis, { reverse: !reverse })],
  emit: (onnx, [x], { axis, reverse }) =>
    onnx.node("CumSum", [x, onnx.integers([axis])], { reverse: reverse ? 1 : 0 }),
};
