import { addsToProduct } from "../graph/operations/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";

/** A shader of WebGPU sees 8 tensors where no more are promised: what is cut, and so many parts. */
const MOST_PARTS = 7;

/**
 * Slices of one tensor that together are all of it, by each of them, in their order: a single node cuts these in a fraction of
 * their time. None where a product with a transposed matrix may become part of a Sum: the runtime's fusion of these fails (in
 * 1.30) where a product reads the third result of a node.
 */
export function cutsOf(nodes: readonly Tensor[]): Map<Tensor, readonly Tensor[]> {
  const cuts = new Map<Tensor, readonly Tensor[]>();
  if (nodes.some(addsToProduct)) return cuts;
  const together = new Map<string, Tensor[]>();
  for (const node of nodes) {
    if (node.operation.name !== "slice") continue;
    const key = `${node.inputs[0].id} ${node.attributes.axis}`;
    together.set(key, [...(together.get(key) ?? []), node]);
  }
  for (const slices of together.values()) {
    slices.sort((a, b) => start(a) - start(b));
    const [{ inputs, attributes }] = slices;
    const follow = slices.every((slice, i) => start(slice) === (i > 0 ? end(slices[i - 1]) : 0));
    const whole = end(slices[slices.length - 1]) === inputs[0].shape[attributes.axis as number];
    if (slices.length > 1 && slices.length <= MOST_PARTS && follow && whole)
      for (const slice of slices) cuts.set(slice, slices);
  }
  return cuts;
}

const start = ({ attributes }: Tensor) => attributes.start as number;
const end = ({ attributes }: Tensor) => attributes.end as number;
