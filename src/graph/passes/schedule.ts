import type { Graph } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { consumersOf } from "../traversal.ts";

/**
 * Orders the nodes of a graph so that ONNX Runtime computes the gradient of a parameter while the rows that it sums are still in
 * the cache. In the original order, the runtime computes the gradients of all parameters after the backward pass.
 *
 * The runtime derives its own order backward, from the last output to the first and at each node from the last input to the first.
 * Sums over rows that lead to a single output, such as gradients of parameters, therefore come at the end of this order, and the
 * sums that can be computed first at the very end. Each node stays after its inputs.
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
    const sumsOfRows = sums.filter(readsRows).sort((a, b) => b.id - a.id);
    const sumsOfSums = sums.filter((node) => !readsRows(node)).sort((a, b) => a.id - b.id);
    return {
      hasSeveralSums: sumsOfRows.length > 1,
      size: sizeOf(output.shape),
      latest: sumsOfRows[0].id,
      sums: [...sumsOfRows, ...sumsOfSums],
    };
  });
  // First come the outputs with several sums of rows, the largest output last, because it has the most to compute. Then come the
  // outputs with one sum, the oldest last.
  groups.sort(
    (a, b) =>
      +b.hasSeveralSums - +a.hasSeveralSums || (a.hasSeveralSums ? a.size - b.size : b.latest - a.latest),
  );
  return [...nodes.filter((node) => !outputOf.has(node)), ...groups.flatMap(({ sums }) => sums)];
}

/**
 * Maps each node that has no batch axis, but depends on rows, to the output that it leads to. A node is left out if it leads to
 * several outputs, or to its output through a node with a batch axis.
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
