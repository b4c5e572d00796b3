import type { Tensor } from "./tensor.ts";

/**
 * `outputs` and all tensors that they depend on, inputs before outputs. It includes tensors in `stopAt`, but not their inputs.
 */
export function ancestors(outputs: readonly Tensor[], stopAt?: { has(tensor: Tensor): boolean }): Tensor[] {
  const seen = new Set<Tensor>(outputs);
  const unvisited = [...outputs];
  for (let tensor = unvisited.pop(); tensor; tensor = unvisited.pop()) {
    if (stopAt?.has(tensor)) continue;
    for (const parent of tensor.inputs) {
      if (!seen.has(parent)) {
        seen.add(parent);
        unvisited.push(parent);
      }
    }
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** For each node, the nodes that have it as an input. */
export function consumersOf(nodes: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const consumers = new Map<Tensor, Tensor[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const parent of new Set(node.inputs)) consumers.get(parent)!.push(node);
  return consumers;
}
