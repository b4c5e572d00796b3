import { PushforwardError } from "../../check/index.ts";
import { type AxisRange, ElementType, type Emitter, type Floats, type Operation } from "../operation.ts";
import { broadcastShapes, formatShape, knownSize, type Shape, sameShape, sizeOf } from "../shape.ts";
import { concat as concatTensors, constant, type Tensor } from "../tensor.ts";

export const reshape: Operation<{ readonly shape: Shape }> = {
  name: "reshape",
  type: "sameAsInput",
  needsFullGradient: true,
  shape: ([x], { shape }) => {
    if (
      !sameShape(sizesAroundBatch(x.shape), sizesAroundBatch(shape)) ||
      shape.lastIndexOf("N") > shape.indexOf("N")
    ) {
      throw new PushforwardError(
        "SHAPE",
        `reshape cannot change ${formatShape(x.shape)} to ${formatShape(shape)}`,
      );
    }
    return shape;
  },
  gradient: (g, [x]) => [g.reshape(x.shape)],
  moveData: ([x]) => x,
  simplify({ inputs: [x], shape }) {
    if (sameShape(x.shape, shape)) return x;
    return x.operation === reshape ? x.inputs[0].reshape(shape) : undefined;
  },
  hasComputedShape: true,
  // Inside of loops, where shapes are not declared, the runtime can infer that the number of rows stays the same from Unsqueeze, from
  // Squeeze, and from a size of 0, which stands for the size of the same axis of the input. An axis of size 0 is therefore written as
  // -1, which is inferred, unless the same axis of the input has size 0 too.
  emit: (onnx, [x], { shape }, [tensor]) => {
    if (shape.indexOf("N") !== tensor.shape.indexOf("N")) {
      const [added, removed] = [newAxes(tensor.shape, shape), newAxes(shape, tensor.shape)];
      if (added) return onnx.node("Unsqueeze", [x, onnx.integers(added)]);
      if (removed) return onnx.node("Squeeze", [x, onnx.integers(removed)]);
    }
    const sizes = shape.map((d, axis) => (d && d !== "N" ? d : tensor.shape[axis] === d ? 0 : -1));
    return onnx.node("Reshape", [x, onnx.integers(sizes)]);
  },
};

export const transpose: Operation<{ readonly order: readonly number[] }> = {
  name: "transpose",
  type: "sameAsInput",
  needsFullGradient: true,
  shape: ([x], { order }) => {
    const sorted = [...order].sort((a, b) => a - b);
    if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new PushforwardError(
        "SHAPE",
        `transpose cannot reorder the axes of ${formatShape(x.shape)} as [${order.join(", ")}]`,
      );
    }
    return order.map((axis) => x.shape[axis]);
  },
  gradient: (g, _inputs, _y, { order }) => [g.transpose(order.map((_, i) => order.indexOf(i)))],
  moveData: ([x], { order }, [{ shape }]) => {
    const moved = arrayFor([x], x.length);
    const strides = order.map((axis) => sizeOf(shape.slice(axis + 1)));
    const position = order.map(() => 0);
    for (let i = 0, source = 0; i < x.length; i++) {
      moved[i] = x[source];
      for (let axis = order.length - 1; axis >= 0; axis--) {
        source += strides[axis];
        if (++position[axis] < (shape[order[axis]] as number)) break;
        source -= strides[axis] * position[axis];
        position[axis] = 0;
      }
    }
    return moved;
  },
  emit: (onnx, inputs, { order }) => onnx.node("Transpose", inputs, { perm: order }),
  simplify(node) {
    const [x] = node.inputs;
    if (isTransposedMatrix(node) && isTransposedMatrix(x)) return x.inputs[0];
    // Moving axes of size 1 moves no data.
    const longAxes = (node.attributes.order as readonly number[]).filter((axis) => x.shape[axis] !== 1);
    if (!longAxes.every((axis, i) => i === 0 || axis > longAxes[i - 1])) return undefined;
    return (x.operation === reshape ? x.inputs[0] : x).reshape(node.shape);
  },
};

export const isTransposedMatrix = ({ operation, rank, attributes }: Tensor): boolean =>
  operation === transpose && rank === 2 && (attributes.order as readonly number[])[0] === 1;

export const concat: Operation<{ readonly axis: number }> = {
  name: "concat",
  type: "sameAsInput",
  needsFullGradient: true,
  shape: (inputs, { axis }) => {
    const first = inputs[0].shape;
    const fits = inputs.every(
      ({ shape }) => shape.length === first.length && shape.every((d, i) => i === axis || d === first[i]),
    );
    if (!fits || first[axis] === "N") {
      const shapes = inputs.map((x) => formatShape(x.shape)).join(", ");
      throw new PushforwardError("SHAPE", `concat cannot join ${shapes} along axis ${axis}`);
    }
    const total = inputs.reduce((size, { shape }) => size + (shape[axis] as number), 0);
    return first.map((d, i) => (i === axis ? total : d));
  },
  gradient: (g, inputs, _y, { axis }) => {
    let start = 0;
    return inputs.map(({ shape }) => {
      const end = start + (shape[axis] as number);
      const part = g.slice(axis, start, end);
      start = end;
      return part;
    });
  },
  moveData: (parts, { axis }, inputs) => {
    const blocks = inputs.map(({ shape }) => sizeOf(shape.slice(axis)));
    const joined = arrayFor(parts, sum(parts.map(({ length }) => length)));
    let end = 0;
    for (let row = 0; end < joined.length; row++)
      parts.forEach((part, i) => {
        joined.set(part.subarray(row * blocks[i], (row + 1) * blocks[i]), end);
        end += blocks[i];
      });
    return joined;
  },
  alongAxis: (inputs, axis) => concatTensors(inputs, axis),
  emit: (onnx, inputs, { axis }) => onnx.node("Concat", inputs, { axis }),
};

/** Positions start, start + 1, ..., end - 1 of one axis. */
export const slice: Operation<Readonly<Record<keyof AxisRange, number>>> = {
  name: "slice",
  type: "sameAsInput",
  range: (attributes) => attributes,
  shape: ([x], { axis, start, end }) => {
    const size = knownSize("slice cannot divide", axis, x.shape);
    const isRange = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end;
    if (!isRange || end > size) {
      throw new PushforwardError(
        "SHAPE",
        `slice cannot take ${start} to ${end} of axis ${axis} of ${formatShape(x.shape)}`,
      );
    }
    return x.shape.map((d, i) => (i === axis ? end - start : d));
  },
  moveData: ([x], { axis, start, end }, [{ shape }]) => {
    const inner = sizeOf(shape.slice(axis + 1));
    const block = sizeOf(shape.slice(axis));
    if (block === x.length) return x.subarray(start * inner, end * inner);
    const length = (end - start) * inner;
    const cut = arrayFor([x], (x.length / block) * length);
    for (let from = start * inner, to = 0; to < cut.length; from += block, to += length)
      cut.set(x.subarray(from, from + length), to);
    return cut;
  },
  alongAxis: ([x], axis, { start, end }) => x.slice(axis, start, end),
  emit: (onnx, [x], { axis, start, end }) =>
    onnx.node("Slice", [x, onnx.integers([start]), onnx.integers([end]), onnx.integers([axis])]),
};

/** Adds zeros before and after the positions of an axis. */
export const pad: Operation<{ readonly axis: number; readonly before: number; readonly after: number }> = {
  name: "pad",
  type: "sameAsInput",
  needsFullGradient: true,
  shape: ([x], { axis, before, after }) => {
    const size = knownSize("pad cannot extend", axis, x.shape);
    const isWidth = (width: number) => Number.isInteger(width) && width >= 0;
    if (!isWidth(before) || !isWidth(after)) {
      throw new PushforwardError(
        "SHAPE",
        `pad cannot extend axis ${axis} of ${formatShape(x.shape)} by ${before} and ${after}`,
      );
    }
    return x.shape.map((d, i) => (i === axis ? size + before + after : d));
  },
  gradient: (g, [x], _y, { axis, before }) => [g.slice(axis, before, before + (x.shape[axis] as number))],
  emit: (onnx, [x], { axis, before, after }, [tensor]) => {
    const pads = new Array(2 * tensor.shape.length).fill(0);
    pads[axis] = before;
    pads[axis + tensor.shape.length] = after;
    return onnx.node("Pad", [x, onnx.integers(pads)]);
  },
};

/**
 * If an index is repeated more often than this along the last axis, the gradient is one product with a selection matrix, which is faster
 * than a sum of gathers. Elsewhere, or if that matrix would be too large, it stays a sum of gathers.
 */
const MAX_GATHERS = 8;
/** The largest number of elements of a selection matrix, which limits its memory. */
const MAX_SELECTION_SIZE = 2 ** 20;

/** The matrix [indices.length, size] with 1 in column `indices[row]` of each row, and 0 elsewhere. */
function selectionMatrix(indices: readonly number[], size: number): Tensor {
  const values = new Float64Array(indices.length * size);
  indices.forEach((index, row) => {
    values[row * size + index] = 1;
  });
  return constant(values, [indices.length, size]);
}

/** Selects positions of an axis by constant indices, in any order and with repetitions. */
export const gather: Operation<{ readonly axis: number; readonly indices: readonly number[] }> = {
  name: "gather",
  type: "sameAsInput",
  needsFullGradient: true,
  shape: ([x], { axis, indices }) => {
    const size = knownSize("gather cannot select from", axis, x.shape);
    if (indices.some((i) => !Number.isInteger(i) || i < 0 || i >= size)) {
      throw new PushforwardError(
        "SHAPE",
        `gather has indices outside axis ${axis} of ${formatShape(x.shape)}`,
      );
    }
    return x.shape.map((d, i) => (i === axis ? indices.length : d));
  },
  gradient: (g, [x], _y, { axis, indices }) => {
    // The gradient of a gather is a scatter. With constant indices it is a sum of gathers. For each position, the r-th gather reads
    // the gradient of the r-th time that the position was selected, or a padded zero if it was selected less often.
    const size = x.shape[axis] as number;
    const positions: number[][] = Array.from({ length: size }, () => []);
    indices.forEach((index, position) => {
      positions[index].push(position);
    });
    const repetitions = positions.reduce((most, { length }) => Math.max(most, length), 0);
    if (repetitions === 0) return [null];
    if (
      repetitions > MAX_GATHERS &&
      x.rank > 1 &&
      axis === x.rank - 1 &&
      size * indices.length <= MAX_SELECTION_SIZE
    )
      return [g.matmul(selectionMatrix(indices, size))];
    const isEven = positions.every((p) => p.length === repetitions);
    const padded = isEven ? g : g.pad(axis, 0, 1);
    const parts = Array.from({ length: repetitions }, (_, r) =>
      padded.gather(
        axis,
        positions.map((p) => p[r] ?? indices.length),
      ),
    );
    return [parts.reduce((total, part) => total.add(part))];
  },
  moveData: ([x], { axis, indices }, [{ shape }]) => {
    const inner = sizeOf(shape.slice(axis + 1));
    const block = sizeOf(shape.slice(axis));
    const chosen = arrayFor([x], (x.length / block) * indices.length * inner);
    let to = 0;
    for (let row = 0; row < x.length; row += block)
      for (const index of indices) for (let k = 0; k < inner; k++) chosen[to++] = x[row + index * inner + k];
    return chosen;
  },
  alongAxis: ([x], axis, { indices }) => x.gather(axis, indices),
  emit: (onnx, [x], { axis, indices }, [{ shape }]) =>
    emitGather(onnx, x, onnx.integers(indices), axis, shape.length),
};

/** Reorders an axis by a permutation of 0 ... size - 1, a tensor [size]. The gradient reads its inverse. */
export const permute: Operation<{ readonly axis: number }> = {
  name: "permute",
  type: "sameAsInput",
  inputTypes: ["sameAsFirst", "float"],
  needsFullGradient: true,
  shape: ([x, order, inverse], { axis }) => {
    const size = x.shape[axis];
    const fits = ({ shape }: Tensor) => shape.length === 1 && shape[0] === size;
    if (size === "N" || !fits(order) || !fits(inverse)) {
      throw new PushforwardError(
        "SHAPE",
        `permute cannot reorder axis ${axis} of ${formatShape(x.shape)} by ${formatShape(order.shape)} and ${formatShape(inverse.shape)}`,
      );
    }
    return x.shape;
  },
  gradient: (g, [, order, inverse], _y, { axis }) => [g.permute(axis, inverse, order), null, null],
  emit: (onnx, [x, order], { axis }, [{ shape }]) =>
    emitGather(onnx, x, onnx.node("Cast", [order], { to: ElementType.INT64 }), axis, shape.length),
};

/** The axes of `to` that are not in `from`, if the shapes differ only by axes of size 1. */
function newAxes(from: Shape, to: Shape): number[] | undefined {
  const axes: number[] = [];
  for (const [axis, size] of to.entries()) if (size !== from[axis - axes.length]) axes.push(axis);
  const fits = axes.length === to.length - from.length && axes.every((axis) => to[axis] === 1);
  return fits ? axes : undefined;
}

/** Number of elements of the axes before the batch axis, and of those after it; without a batch axis, of all axes. */
function sizesAroundBatch(shape: Shape): number[] {
  const axis = shape.indexOf("N");
  return axis < 0 ? [sizeOf(shape)] : [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
}

/** An array of the precision that holds the numbers of all sources exactly. */
const arrayFor = (sources: readonly Floats[], length: number): Floats =>
  sources.every((source) => source instanceof Float32Array)
    ? new Float32Array(length)
    : new Float64Array(length);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function emitGather(onnx: Emitter, x: string, indices: string, axis: number, rank: number): string {
  const last = rank - 1;
  if (axis < last || last === 0) return onnx.node("Gather", [x, indices], { axis });
  // Along the last axis the runtime copies single numbers; gathering rows of the transpose is ten times faster.
  const leading = Array.from({ length: last }, (_, i) => i);
  const rows = onnx.node("Transpose", [x], { perm: [last, ...leading] });
  const chosen = onnx.node("Gather", [rows, indices], { axis: 0 });
  return onnx.node("Transpose", [chosen], { perm: [...leading.map((i) => i + 1), 0] });
}

/** Repeats a tensor along axes of size 1, and along new leading axes, to the shape `shape`. */
export const broadcastTo: Operation<{ readonly shape: Shape }> = {
  name: "broadcastTo",
  type: "sameAsInput",
  broadcasts: "elementwise",
  shape: ([x], { shape }) => {
    if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
      throw new PushforwardError(
        "SHAPE",
        `broadcastTo cannot broadcast ${formatShape(x.shape)} to ${formatShape(shape)}`,
      );
    }
    return shape;
  },
  gradient: (g) => [g],
  simplify({ inputs: [x], shape }) {
    if (sameShape(x.shape, shape)) return x;
    return x.operation === broadcastTo ? x.inputs[0].broadcastTo(shape) : undefined;
  },
  hasComputedShape: true,
  emit: (onnx, [x], { shape }) => onnx.node("Expand", [x, onnx.shape(shape)]),
};
