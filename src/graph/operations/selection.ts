import { PushforwardError } from "../../errors.ts";
import { formatShape } from "../shape.ts";
import { apply, concat as concatTensors, type Tensor } from "../tensor.ts";
import { concat, gather, slice } from "./structure.ts";

/** Positions start to end - 1 of an axis, sliced directly from the tensors that contain them. */
export function sliceOf(x: Tensor, axis: number, start: number, end: number): Tensor {
  const sources = sliceSources(x, axis, [start, end]);
  if (sources.length === 1 && sources[0].source === x) return apply(slice, [x], { axis, start, end });
  return concatTensors(
    sources.map((part) => part.source.slice(axis, part.start, part.end)),
    axis,
  );
}

/** Consecutive slices of the given sizes, which together are the whole tensor. */
export function splitOf(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[axis]) {
    throw new PushforwardError(
      "SHAPE",
      `split cannot divide axis ${axis} of ${formatShape(x.shape)} into ${sizes.join(" + ")}`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const part = x.slice(axis, start, start + size);
    start += size;
    return part;
  });
}

/** The chosen positions of an axis, gathered directly from the tensor that contains them, or as slices if these are long. */
export function gatherOf(x: Tensor, axis: number, chosen: readonly number[]): Tensor {
  const { source, indices } = gatherSource(x, axis, chosen);
  const ranges = axis === x.rank - 1 ? consecutiveRanges(indices) : undefined;
  if (ranges)
    return concatTensors(
      ranges.map(([start, end]) => source.slice(axis, start, end)),
      axis,
    );
  const isIdentity = indices.length === source.shape[axis] && indices.every((index, i) => index === i);
  return isIdentity ? source : apply(gather, [source], { axis, indices });
}

/**
 * The tensor that `indices` of an axis of x can be gathered from directly, and the indices there: the input of a gather, or one
 * of the tensors that x concatenates. This merges chains of permutations, and removes concatenations that are split again.
 */
function gatherSource(
  x: Tensor,
  axis: number,
  indices: readonly number[],
): { source: Tensor; indices: readonly number[] } {
  const { operation, inputs, attributes } = x;
  if (attributes.axis !== axis) return { source: x, indices };
  if (operation === gather) {
    const inner = attributes.indices as readonly number[];
    if (indices.every((index) => index in inner))
      return gatherSource(
        inputs[0],
        axis,
        indices.map((index) => inner[index]),
      );
  }
  if (operation === concat) {
    let end = 0;
    for (const part of inputs) {
      const start = end;
      end += part.shape[axis] as number;
      if (indices.every((index) => index >= start && index < end))
        return gatherSource(
          part,
          axis,
          indices.map((index) => index - start),
        );
    }
  }
  return { source: x, indices };
}

/**
 * The tensors, and their ranges, that positions start to end - 1 of an axis of x can be sliced from directly: the input of a
 * slice, one of the tensors that x concatenates, or several of them if they are read whole.
 */
function sliceSources(
  x: Tensor,
  axis: number,
  [start, end]: readonly [number, number],
): { source: Tensor; start: number; end: number }[] {
  if (x.operation === slice && x.attributes.axis === axis) {
    const offset = x.attributes.start as number;
    return sliceSources(x.inputs[0], axis, [offset + start, offset + end]);
  }
  const isConcat = x.operation === concat && x.attributes.axis === axis;
  if (!isConcat || start >= end) return [{ source: x, start, end }];
  let offset = 0;
  const parts = x.inputs.flatMap((source) => {
    const size = source.shape[axis] as number;
    const part = { source, start: start - offset, end: end - offset, size };
    offset += size;
    return part.start < size && part.end > 0 ? [part] : [];
  });
  if (parts.length === 1)
    return parts.flatMap((part) => sliceSources(part.source, axis, [part.start, part.end]));
  if (!parts.every((part) => part.start <= 0 && part.end >= part.size)) return [{ source: x, start, end }];
  return parts.map(({ source, size }) => ({ source, start: 0, end: size }));
}

/** Along the last axis, slices with fewer positions than this on average take more time than a gather. */
const MIN_MEAN_SLICE = 8;

/** Indices as slices from start to end - 1 of consecutive positions, if these are long on average. */
function consecutiveRanges(indices: readonly number[]): (readonly [number, number])[] | undefined {
  const starts = indices.flatMap((index, i) => (index === indices[i - 1] + 1 ? [] : [i]));
  if (starts.length === 0 || indices.length < MIN_MEAN_SLICE * starts.length) return undefined;
  return starts.map((i, k) => [indices[i], indices[(starts[k + 1] ?? indices.length) - 1] + 1]);
}
