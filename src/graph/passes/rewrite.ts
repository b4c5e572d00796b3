import type { Operation } from "../operation.ts";
import { Parameter } from "../parameter.ts";
import { Tensor } from "../tensor.ts";
import { withScope } from "../tracing/scope.ts";

/** What tensors of a graph are replaced by. */
export type Replacement = ReadonlyMap<Tensor, Tensor>;

/** `outputs` after each of `nodes`, inputs before outputs, is replaced by what `rewrite` makes of it. */
export function rewritten(
  nodes: readonly Tensor[],
  outputs: readonly Tensor[],
  rewrite: (node: Tensor, replacement: Replacement) => Tensor,
): Tensor[] {
  const replacement = new Map<Tensor, Tensor>();
  for (const node of nodes)
    replacement.set(
      node,
      withScope(node.scope, () => rewrite(node, replacement)),
    );
  return outputs.map((output) => replacement.get(output)!);
}

/** The node over what its inputs are replaced by. */
export function replaced(node: Tensor, replacement: Replacement): Tensor {
  const inputs = node.inputs.map((parent) => replacement.get(parent)!);
  const changed = inputs.some((parent, i) => parent !== node.inputs[i]);
  return changed ? rebuild(node.operation, inputs, node) : node;
}

export const rebuild = (operation: Operation, inputs: readonly Tensor[], like: Tensor): Tensor =>
  withScope(like.scope, () => new Tensor(operation, inputs, like.attributes));

/** What is computed from parameters and constants alone, so that it is known when a graph with its parameters is written. */
export function knownTensors(nodes: readonly Tensor[]): Set<Tensor> {
  const known = new Set<Tensor>();
  for (const node of nodes) {
    const given = node instanceof Parameter || node.operation.name === "constant";
    if (given || (node.inputs.length > 0 && node.inputs.every((parent) => known.has(parent))))
      known.add(node);
  }
  return known;
}
