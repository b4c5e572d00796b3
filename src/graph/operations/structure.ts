import { PushforwardError } from "../../errors.ts";
import type { Emitter, Floats, Operation } from "../operation.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

export const reshape: Operation<{ readonly shape: Shape }> = {
  name: "reshape",
  needsFullGradient: true,
  shape: ([x], { shape }) => {
    if (!sameShape(aroundBatch(x.shape), aroundBatch(shape)) || shape.lastIndexOf("N") > shape.indexOf("N")) {
      throw new PushforwardError(
        "SHAPE",
        `reshape cannot lay ${formatShape(x.shape)} out as ${formatShape(shape)}`,
      );
    }
    return shape;
  },
  gradient: (g, [x]) => [g.reshape(x.shape)],
  move: ([x]) => x,
  // The runtime is to know that it is the same number of rows, or it takes minutes to prepare long graphs: a 0 says that it is
  // the size of the argument's axis, and axes of size 1 come and go without a change of the others.
  emit: (onnx, [x], { shape }, [tensor]) => {
    if (shape.indexOf("N") !== tensor.shape.indexOf("N")) {
      const [more, less] = [newAxes(tensor.shape, shape), newAxes(shape, tensor.shape)];
      if (more) return onnx.node("Unsqueeze", [x, onnx.integers(more)]);
      if (less) return onnx.node("Squeeze", [x, onnx.integers(less)]);
    }
    const sizes = shape.map((d, axis) => (d !== "N" ? d : tensor.shape[axis] === "N" ? 0 : -1));
    return onnx.node("Reshape", [x, onnx.integers(sizes)]);
  },
};

export const transpose: Operation<{ readonly order: readonly number[] }> = {
  name: "transpose",
  needsFullGradient: true,
  shape: ([x], { order }) => {
    const sorted = [...order].sort((a, b) => a - b);
    if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new PushforwardError(
        "SHAPE",
        `transpose cannot order ${formatShape(x.shape)} by [${order.join(", ")}]`,
      );
    }
    return order.map((axis) => x.shape[axis]);
  },
  gradient: (g, _inputs, _y, { order }) => [g.transpose(order.map((_, i) => order.indexOf(i)))],
  move: ([x], { order }, [{ shape }]) => {
    const moved = like([x], x.length);
    const steps = order.map((axis) => sizeOf(shape.slice(axis + 1)));
    const place = order.map(() => 0);
    for (let i = 0, from = 0; i < x.length; i++) {
      moved[i] = x[from];
      for (let axis = order.length - 1; axis >= 0; axis--) {
        from += steps[axis];
        if (++place[axis] < (shape[order[axis]] as number)) break;
        from -= steps[axis] * place[axis];
        place[axis] = 0;
      }
    }
    return moved;
  },
  emit: (onnx, inputs, { order }) => onnx.node("Transpose", inputs, { perm: order }),
};

export const concat: Operation<{ readonly axis: number }> = {
  name: "concat",
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
  move: (parts, { axis }, inputs) => {
    const blocks = inputs.map(({ shape }) => sizeOf(shape.slice(axis)));
    const joined = like(parts, sum(parts.map(({ length }) => length)));
    let end = 0;
    for (let row = 0; end < joined.length; row++)
      parts.forEach((part, i) => {
        joined.set(part.subarray(row * blocks[i], (row + 1) * blocks[i]), end);
        end += blocks[i];
      });
    return joined;
  },
  emit: (onnx, inputs, { axis }) => onnx.node("Concat", inputs, { axis }),
};

/** Positions start, start + 1, ..., end - 1 of one axis. */
export const slice: Operation<{ readonly axis: number; readonly start: number; readonly end: number }> = {
  name: "slice",
  needsFullGradient: true,
  shape: ([x], { axis, start, end }) => {
    const size = x.shape[axis];
    if (size === "N" || start < 0 || end > size || start > end) {
      throw new PushforwardError(
        "SHAPE",
        `slice cannot take ${start} to ${end} of axis ${axis} of ${formatShape(x.shape)}`,
      );
    }
    return x.shape.map((d, i) => (i === axis ? end - start : d));
  },
  gradient: (g, [x], _y, { axis, start, end }) => [g.pad(axis, start, (x.shape[axis] as number) - end)],
  move: ([x], { axis, start, end }, [{ shape }]) => {
    const inner = sizeOf(shape.slice(axis + 1));
    const block = sizeOf(shape.slice(axis));
    if (block === x.length) return x.subarray(start * inner, end * inner);
    const length = (end - start) * inner;
    const cut = like([x], (x.length / block) * length);
    for (let from = start * inner, to = 0; to < cut.length; from += block, to += length)
      cut.set(x.subarray(from, from + length), to);
    return cut;
  },
  emit: (onnx, [x], { axis, start, end }) =>
    onnx.node("Slice", [x, onnx.integers([start]), onnx.integers([end]), onnx.integers([axis])]),
};

/** Zeros before and after one axis. */
export const pad: Operation<{ readonly axis: number; readonly before: number; readonly after: number }> = {
  name: "pad",
  needsFullGradient: true,
  shape: ([x], { axis, before, after }) => {
    if (x.shape[axis] === "N" || before < 0 || after < 0) {
      throw new PushforwardError(
        "SHAPE",
        `pad cannot extend axis ${axis} of ${formatShape(x.shape)} by ${before} and ${after}`,
      );
    }
    return x.shape.map((d, i) => (i === axis ? (d as number) + before + after : d));
  },
  gradient: (g, [x], _y, { axis, before }) => [g.slice(axis, before, before + (x.shape[axis] as number))],
  emit: (onnx, [x], { axis, before, after }, [tensor]) => {
    const pads = new Array(2 * tensor.shape.length).fill(0);
    pads[axis] = before;
    pads[axis + tensor.shape.length] = after;
    return onnx.node("Pad", [x, onnx.integers(pads)]);
  },
};

/** Positions of one axis chosen, repeated or reordered by a constant list. */
export const gather: Operation<{ readonly axis: number; readonly indices: readonly number[] }> = {
  name: "gather",
  needsFullGradient: true,
  shape: ([x], { axis, indices }) => {
    const size = x.shape[axis];
    if (size === "N" || indices.some((i) => !Number.isInteger(i) || i < 0 || i >= size)) {
      throw new PushforwardError("SHAPE", `gather reaches outside axis ${axis} of ${formatShape(x.shape)}`);
    }
    return x.shape.map((d, i) => (i === axis ? indices.length : d));
  },
  gradient: (g, [x], _y, { axis, indices }) => {
    // Scattering with a constant list is a gather again: one for each repetition, empty places pointing at a zero.
    const size = x.shape[axis] as number;
    const positions: number[][] = Array.from({ length: size }, () => []);
    indices.forEach((target, position) => {
      positions[target].push(position);
    });
    const repetitions = Math.max(0, ...positions.map((p) => p.length));
    if (repetitions === 0) return [null];
    const full = positions.every((p) => p.length === repetitions);
    const padded = full ? g : g.pad(axis, 0, 1);
    const parts = Array.from({ length: repetitions }, (_, r) =>
      padded.gather(
        axis,
        positions.map((p) => p[r] ?? indices.length),
      ),
    );
    return [parts.reduce((total, part) => total.add(part))];
  },
  move: ([x], { axis, indices }, [{ shape }]) => {
    const inner = sizeOf(shape.slice(axis + 1));
    const block = sizeOf(shape.slice(axis));
    const chosen = like([x], (x.length / block) * indices.length * inner);
    let to = 0;
    for (let row = 0; row < x.length; row += block)
      for (const index of indices) for (let k = 0; k < inner; k++) chosen[to++] = x[row + index * inner + k];
    return chosen;
  },
  emit: (onnx, [x], { axis, indices }, [{ shape }]) =>
    emitGather(onnx, x, onnx.integers(indices), axis, shape.length),
};

/** One axis reordered by numbers of the graph, a permutation of 0 ... size - 1; its inverse gives the gradient. */
export const permute: Operation<{ readonly axis: number }> = {
  name: "permute",
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
    emitGather(onnx, x, onnx.node("Cast", [order], { to: INT64 }), axis, shape.length),
};

/** The axes of size 1 that make `to` of `from`, if that is how they differ. */
function newAxes(from: Shape, to: Shape): number[] | undefined {
  const axes: number[] = [];
  for (const [axis, size] of to.entries()) if (size !== from[axis - axes.length]) axes.push(axis);
  const fits = axes.length === to.length - from.length && axes.every((axis) => to[axis] === 1);
  return fits ? axes : undefined;
}

/** How many numbers lie before the batch axis and how many after it, or how many there are without one. */
function aroundBatch(shape: Shape): number[] {
  const axis = shape.indexOf("N");
  return axis < 0 ? [sizeOf(shape)] : [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
}

/** An array for numbers that are moved out of others, without a loss. */
const like = (sources: readonly Floats[], length: number): Floats =>
  sources.every((source) => source instanceof Float32Array)
    ? new Float32Array(length)
    : new Float64Array(length);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** ONNX's code of 64-bit integers. */
const INT64 = 7;

function emitGather(onnx: Emitter, x: string, indices: string, axis: number, rank: number): string {
  const last = rank - 1;
  if (axis < last || last === 0) return onnx.node("Gather", [x, indices], { axis });
  // Along the last axis the runtime copies number by number; whole rows of the transpose go ten times faster.
  const leading = Array.from({ length: last }, (_, i) => i);
  const rows = onnx.node("Transpose", [x], { perm: [last, ...leading] });
  const chosen = onnx.node("Gather", [rows, indices], { axis: 0 });
  return onnx.node("Transpose", [chosen], { perm: [...leading.map((i) => i + 1), 0] });
}

/**
 * Where chosen positions of an axis come from: of a gather from its input, of a concatenation from a part of it if they lie in
 * one, so that chains of orders are one and what is joined only to be cut again is not.
 */
export function gatherSource(
  x: Tensor,
  axis: number,
  chosen: readonly number[],
): { source: Tensor; chosen: readonly number[] } {
  const { operation, inputs, attributes } = x;
  if (attributes.axis !== axis) return { source: x, chosen };
  if (operation.name === gather.name) {
    const inner = attributes.indices as readonly number[];
    if (chosen.every((index) => index in inner))
      return gatherSource(
        inputs[0],
        axis,
        chosen.map((index) => inner[index]),
      );
  }
  if (operation.name === concat.name) {
    let start = 0;
    for (const part of inputs) {
      const end = start + (part.shape[axis] as number);
      const from = start;
      if (chosen.every((index) => index >= from && index < end))
        return gatherSource(
          part,
          axis,
          chosen.map((index) => index - from),
        );
      start = end;
    }
  }
  return { source: x, chosen };
}

/**
 * Where positions start to end - 1 of an axis come from: of a slice from what it was cut from, of a concatenation from some of its
 * parts if they are whole, and from one of them if they lie in it.
 */
export function sliceSources(
  x: Tensor,
  axis: number,
  [start, end]: readonly [number, number],
): { source: Tensor; start: number; end: number }[] {
  if (x.operation.name === slice.name && x.attributes.axis === axis) {
    const from = x.attributes.start as number;
    return sliceSources(x.inputs[0], axis, [from + start, from + end]);
  }
  const cut = x.operation.name === concat.name && x.attributes.axis === axis && start < end;
  if (!cut) return [{ source: x, start, end }];
  let from = 0;
  const parts = x.inputs.flatMap((part) => {
    const own = { source: part, start: start - from, end: end - from, size: part.shape[axis] as number };
    from += own.size;
    return own.start < own.size && own.end > 0 ? [own] : [];
  });
  if (parts.length === 1)
    return parts.flatMap((part) => sliceSources(part.source, axis, [part.start, part.end]));
  if (!parts.every((part) => part.start <= 0 && part.end >= part.size)) return [{ source: x, start, end }];
  return parts.map(({ source, size }) => ({ source, start: 0, end: size }));
}

/** Positions of the last axis are cheaper to gather one by one than to copy in stretches that are shorter than this. */
const LONG = 8;

/** Consecutive positions as stretches from start to end - 1, if these are long. */
export function stretches(positions: readonly number[]): (readonly [number, number])[] | undefined {
  const starts = positions.flatMap((position, i) => (position === positions[i - 1] + 1 ? [] : [i]));
  if (starts.length === 0 || positions.length < LONG * starts.length) return undefined;
  return starts.map((i, k) => [positions[i], positions[(starts[k + 1] ?? positions.length) - 1] + 1]);
}

/** Copies along axes of size 1 (and new leading axes) up to a shape. */
export const broadcastTo: Operation<{ readonly shape: Shape }> = {
  name: "broadcastTo",
  broadcasts: true,
  shape: (_inputs, { shape }) => shape,
  gradient: (g) => [g],
  emit: (onnx, [x], { shape }) => onnx.node("Expand", [x, onnx.shape(shape)]),
};
