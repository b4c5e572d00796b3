import { PushforwardError } from "../../check/index.ts";
import { formatShape } from "../shape.ts";
import { apply, concat as concatTensors, type Tensor } from "../tensor.ts";
import { concat, gather, slice } from "./structure.ts";

/** Positions start to end - 1 of an axis, sliced directly from the tensors that contain them. */
export function sliceOf(x: Tensor, axis: number, start: number, end: number): Tensor {
  // The source may have more positions than x, so the range is checked first.
  const range = { axis, start, end };
  slice.shape([x], range);
  const sources = sliceSources(x, axis, [start, end]);
  if (sources.length === 1 && sources[0].source === x) return apply(slice, [x], range);
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

/**
 * Gathers positions of an axis directly from the tensor that contains them, or concatenates slices if the positions form long
 * ranges.
 */
export function gatherOf(x: Tensor, axis: number, positions: readonly number[]): Tensor {
  gather.shape([x], { axis, indices: positions });
  const { source, indices } = gatherSource(x, axis, positions);
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
 * Finds the tensor that contains the positions `indices` of x, and their indices in it: the input of x if x is a gather, or one
 * input of x if x is a concatenation. This merges chains of permutations, and removes concatenations that are split again.
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
 * Finds the tensors that contain positions start to end - 1 of x, and their ranges: the input of x if x is a slice; if x is a
 * concatenation, one of its inputs, or several inputs if the range covers them completely.
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

/** Splits indices into ranges [start, end) of consecutive positions; undefined if the ranges are short on average. */
function consecutiveRanges(indices: readonly number[]): (readonly [number, number])[] | undefined {
  const starts = indices.flatMap((index, i) => (index === indices[i - 1] + 1 ? [] : [i]));
  if (starts.length === 0 || indices.length < MIN_MEAN_SLICE * starts.length) return undefined;
  return starts.map((i, k) => [indices[i], indices[(starts[k + 1] ?? indices.length) - 1] + 1]);
}
