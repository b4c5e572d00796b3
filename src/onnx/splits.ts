import { isSumWithTransposedProduct, type Tensor } from "../graph/index.ts";

/** A shader of WebGPU may be limited to 8 tensors: the input of a Split and this many outputs. */
const MAX_SPLIT_OUTPUTS = 7;

/**
 * Finds slices that together are a whole tensor, which one ONNX Split computes in a fraction of the time of several Slice nodes.
 * Returns a map from each of these slices to all slices of its tensor, in their order.
 *
 * The map is empty if the graph adds a matrix to a product with a transposed factor: ONNX Runtime 1.30 fuses such an addition into
 * the product, and this fails if a product reads the third output of a node.
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
