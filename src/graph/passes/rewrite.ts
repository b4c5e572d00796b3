import { constantValues } from "../operations/source.ts";
import { Parameter } from "../parameter.ts";
import { Tensor } from "../tensor.ts";
import { withScope } from "../tracing/scope.ts";

/** For each tensor of the old graph, the tensor that takes its place. */
export type Replacement = ReadonlyMap<Tensor, Tensor>;

/**
 * Rewrites a graph: calls `rewrite` for each of `nodes`, inputs before outputs, with the replacements of the nodes before it.
 * Returns the replacements of `outputs`.
 */
export function rewriteGraph(
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

/** The node with its inputs replaced; the node itself if they stay the same. */
export function withReplacedInputs(node: Tensor, replacement: Replacement): Tensor {
  const inputs = node.inputs.map((parent) => replacement.get(parent)!);
  const changed = inputs.some((parent, i) => parent !== node.inputs[i]);
  if (!changed) return node;
  return withScope(node.scope, () => new Tensor(node.operation, inputs, node.attributes));
}

/** Tensors computed from parameters and constants only: fixed numbers in a graph that is written with its parameters. */
export function fixedTensors(nodes: readonly Tensor[]): Set<Tensor> {
  const fixed = new Set<Tensor>();
  for (const node of nodes) {
    const isLeaf = node instanceof Parameter || constantValues(node) !== undefined;
    if (isLeaf || (node.inputs.length > 0 && node.inputs.every((parent) => fixed.has(parent))))
      fixed.add(node);
  }
  return fixed;
}
