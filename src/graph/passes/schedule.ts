import { readersOf } from "../grad.ts";
import type { Graph } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * A graph's nodes in the order in which ONNX Runtime is to hear of them: it goes from the outputs back, the last one first,
 * and at each node the last of its inputs first. What is summed over rows for a single output, as gradients of parameters
 * are, comes last here, and at the very end what can be had first. Each such sum is then computed while its rows are in the
 * cache, where all of them would else come after the backward pass. Inputs stay before outputs.
 */
export function schedule({ nodes, outputs }: Pick<Graph, "nodes" | "outputs">): Tensor[] {
  const found = sumsOverRows(
    nodes,
    outputs.map(({ tensor }) => tensor),
  );
  const sums = new Map<Tensor, Tensor[]>();
  for (const [node, output] of found) sums.set(output, [...(sums.get(output) ?? []), node]);
  const isFirst = (node: Tensor) => !node.inputs.some((parent) => found.has(parent));
  const groups = [...sums].map(([output, members]) => {
    const first = members.filter(isFirst).sort((a, b) => b.id - a.id);
    const others = members.filter((node) => !isFirst(node)).sort((a, b) => a.id - b.id);
    return {
      joined: first.length > 1,
      size: sizeOf(output.shape),
      latest: first[0].id,
      members: [...first, ...others],
    };
  });
  // The largest of the joined ones has most to compute on the way, sums by themselves can each come in their own time.
  groups.sort((a, b) => +b.joined - +a.joined || (a.joined ? a.size - b.size : b.latest - a.latest));
  const last = groups.flatMap(({ members }) => members);
  return [...nodes.filter((node) => !found.has(node)), ...last];
}

/** Nodes without rows that depend on rows and that nothing but such nodes reads, with the single output that they are for. */
function sumsOverRows(nodes: readonly Tensor[], outputs: readonly Tensor[]): Map<Tensor, Tensor> {
  const ofRows = new Set<Tensor>();
  for (const node of nodes)
    if (node.shape.includes("N") || node.inputs.some((parent) => ofRows.has(parent))) ofRows.add(node);
  const readers = readersOf(nodes);
  const found = new Map<Tensor, Tensor>();
  for (const node of [...nodes].reverse()) {
    if (node.shape.includes("N") || !ofRows.has(node)) continue;
    const own = outputs.filter((output) => output === node);
    const targets = new Set([...own, ...readers.get(node)!.map((reader) => found.get(reader))]);
    const [target] = targets;
    if (targets.size === 1 && target) found.set(node, target);
  }
  return found;
}
