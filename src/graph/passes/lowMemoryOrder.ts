import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { ancestors } from "../traversal.ts";

/**
 * The nodes of a graph in an order in which ONNX Runtime holds few numbers at once. In a sum a(x) + b(x) + c(x) of large terms, each term
 * should be added before the next one is computed. With the order of tracing, the runtime computes all terms first: see `executionOrder`.
 *
 * Each node visits its inputs by Sethi and Ullman (1970, "The generation of optimal code for arithmetic expressions"): first the input whose
 * computation needs the most memory beyond its result. This is optimal for trees. Here a node may be an input of several others, so the order of
 * tracing may need less memory. The order of tracing is kept unless it needs at least twice as much.
 */
export function lowMemoryOrder(outputs: readonly Tensor[]): Tensor[] {
  const traced = ancestors(outputs);
  /** How many numbers are held at once, at most, while a node and all that it depends on are computed. */
  const peaks = new Map<Tensor, number>();
  const beyondResult = (node: Tensor) => peaks.get(node)! - numbersPerRow(node);
  const reversedInputs = new Map<Tensor, readonly Tensor[]>();
  for (const node of traced) {
    const inputs = [...new Set(node.inputs)].sort((a, b) => beyondResult(b) - beyondResult(a));
    let [held, peak] = [0, 0];
    for (const input of inputs) {
      peak = Math.max(peak, held + peaks.get(input)!);
      held += numbersPerRow(input);
    }
    peaks.set(node, Math.max(peak, held + numbersPerRow(node)));
    // The runtime visits the last input first.
    reversedInputs.set(node, inputs.reverse());
  }
  const order = depthFirst(outputs, (node) => reversedInputs.get(node)!);
  return 2 * peakNumbersPerRow(order, outputs) <= peakNumbersPerRow(traced, outputs) ? order : traced;
}

/** How many numbers ONNX Runtime holds at once for each row of the batch, at most, if the file has the nodes in this order. */
export function peakNumbersPerRow(nodes: readonly Tensor[], outputs: readonly Tensor[]): number {
  const order = executionOrder(nodes, outputs);
  const lastReaders = new Map<Tensor, Tensor>();
  for (const node of order) for (const input of node.inputs) lastReaders.set(input, node);
  let [live, peak] = [0, 0];
  for (const node of order) {
    live += numbersPerRow(node);
    peak = Math.max(peak, live);
    for (const input of new Set(node.inputs))
      if (lastReaders.get(input) === node) live -= numbersPerRow(input);
  }
  return peak;
}

/**
 * The order in which ONNX Runtime executes nodes. It goes backward from the outputs, depth first, and enters first the input that is the
 * last in the file. In a sum ((a + b) + c) + d that is written as a, b, +, c, +, d, +, it thus computes d, c, b and a, and then adds them.
 */
function executionOrder(nodes: readonly Tensor[], outputs: readonly Tensor[]): Tensor[] {
  const position = new Map(nodes.map((node, i) => [node, i]));
  const byPositionDescending = (tensors: readonly Tensor[]) =>
    [...new Set(tensors)].sort((a, b) => position.get(b)! - position.get(a)!);
  return depthFirst(byPositionDescending(outputs), ({ inputs }) => byPositionDescending(inputs));
}

/** `roots` and all tensors that they depend on, inputs before outputs, where the inputs of a node are visited in the given order. */
function depthFirst(roots: readonly Tensor[], inputsOf: (node: Tensor) => readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const entered = new Set<Tensor>();
  const finished = new Set<Tensor>();
  // A stack instead of recursion, because graphs may be deep. A node stays on it until all its inputs are in `order`.
  const stack = [...roots].reverse();
  for (let node = stack.at(-1); node; node = stack.at(-1)) {
    if (!entered.has(node)) {
      entered.add(node);
      for (const input of [...inputsOf(node)].reverse()) if (!entered.has(input)) stack.push(input);
    } else {
      stack.pop();
      if (!finished.has(node)) {
        finished.add(node);
        order.push(node);
      }
    }
  }
  return order;
}

/** Tensors without a batch axis, such as weights, count as 0. */
const numbersPerRow = ({ shape }: Tensor): number => (shape.includes("N") ? sizeOf(shape, 1) : 0);
