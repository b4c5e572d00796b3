import type { Graph } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { consumersOf } from "../traversal.ts";

/**
 * Orders a graph's nodes so that ONNX Runtime computes each gradient of a parameter soon after the rows it is summed from, while
 * these are in the cache. Without this it computes all gradients after the backward pass.
 *
 * The runtime plans from the last output to the first, and at each node from the last input to the first. Sums over rows for a
 * single output, as gradients of parameters are, therefore come last here, and at the very end those that can be computed first.
 * Inputs stay before outputs.
 */
export function schedule({ nodes, outputs }: Pick<Graph, "nodes" | "outputs">): Tensor[] {
  const outputOf = sumsOverRows(
    nodes,
    outputs.map(({ tensor }) => tensor),
  );
  const sumsByOutput = new Map<Tensor, Tensor[]>();
  for (const [node, output] of outputOf)
    sumsByOutput.set(output, [...(sumsByOutput.get(output) ?? []), node]);
  const readsRows = (node: Tensor) => !node.inputs.some((parent) => outputOf.has(parent));
  const groups = [...sumsByOutput].map(([output, sums]) => {
    const first = sums.filter(readsRows).sort((a, b) => b.id - a.id);
    const others = sums.filter((node) => !readsRows(node)).sort((a, b) => a.id - b.id);
    return {
      hasSeveralSums: first.length > 1,
      size: sizeOf(output.shape),
      latest: first[0].id,
      sums: [...first, ...others],
    };
  });
  // Outputs of several sums come first, the largest of them last, because it has the most to compute; then the others, the
  // oldest last.
  groups.sort(
    (a, b) =>
      +b.hasSeveralSums - +a.hasSeveralSums || (a.hasSeveralSums ? a.size - b.size : b.latest - a.latest),
  );
  return [...nodes.filter((node) => !outputOf.has(node)), ...groups.flatMap(({ sums }) => sums)];
}

/**
 * For each node without a batch axis that depends on rows, and that leads to one output only through such nodes: that output.
 */
function sumsOverRows(nodes: readonly Tensor[], outputs: readonly Tensor[]): Map<Tensor, Tensor> {
  const dependsOnRows = new Set<Tensor>();
  for (const node of nodes)
    if (node.shape.includes("N") || node.inputs.some((parent) => dependsOnRows.has(parent)))
      dependsOnRows.add(node);
  const consumers = consumersOf(nodes);
  const outputOf = new Map<Tensor, Tensor>();
  for (const node of [...nodes].reverse()) {
    if (node.shape.includes("N") || !dependsOnRows.has(node)) continue;
    const self = outputs.filter((output) => output === node);
    const targets = new Set([...self, ...consumers.get(node)!.map((consumer) => outputOf.get(consumer))]);
    const [target] = targets;
    if (targets.size === 1 && target) outputOf.set(node, target);
  }
  return outputOf;
}
