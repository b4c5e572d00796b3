import { isSumWithTransposedProduct } from "../graph/operations/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";

/** A shader of WebGPU may be limited to 8 tensors: the input of a Split and this many outputs. */
const MAX_SPLIT_OUTPUTS = 7;

/**
 * Slices that together are the whole of a tensor, in their order, by each of them: one ONNX Split takes a fraction of the time of
 * as many Slice nodes.
 *
 * Returns none if the graph adds to a product with a transposed matrix: the runtime's fusion of these two fails (in version 1.30)
 * if a product reads the third output of a node.
 */
export function splitsOf(nodes: readonly Tensor[]): Map<Tensor, readonly Tensor[]> {
  const splits = new Map<Tensor, readonly Tensor[]>();
  if (nodes.some(isSumWithTransposedProduct)) return splits;
  const slicesBySource = new Map<string, Tensor[]>();
  for (const node of nodes) {
    if (!node.operation.range) continue;
    const key = `${node.inputs[0].id} ${rangeOf(node).axis}`;
    slicesBySource.set(key, [...(slicesBySource.get(key) ?? []), node]);
  }
  for (const slices of slicesBySource.values()) {
    slices.sort((a, b) => rangeOf(a).start - rangeOf(b).start);
    const ranges = slices.map(rangeOf);
    const size = slices[0].inputs[0].shape[ranges[0].axis];
    const isContiguous = ranges.every(({ start }, i) => start === (i > 0 ? ranges[i - 1].end : 0));
    const isWhole = isContiguous && ranges[ranges.length - 1].end === size;
    if (slices.length > 1 && slices.length <= MAX_SPLIT_OUTPUTS && isWhole)
      for (const slice of slices) splits.set(slice, slices);
  }
  return splits;
}

const rangeOf = ({ operation, attributes }: Tensor) => operation.range!(attributes);
