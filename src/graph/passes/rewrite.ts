import { constantValues } from "../operations/source.ts";
import { Parameter } from "../parameter.ts";
import { Tensor } from "../tensor.ts";
import { withScope } from "../tracing/scope.ts";
import { ancestors } from "../traversal.ts";

/** Maps tensors of the old graph to the tensors that take their places. */
export type Replacements = ReadonlyMap<Tensor, Tensor>;

/** Tensors that a pass leaves as they are, with the tensors that they depend on. */
export type Kept = { has(tensor: Tensor): boolean };

/**
 * Rewrites the graph of `outputs` and returns the replacements of `outputs`. `rewrite` returns the replacement of one tensor. It is
 * called for a tensor after it was called for the tensor's inputs, and not for tensors in `kept`.
 */
export function rewriteGraph(
  outputs: readonly Tensor[],
  rewrite: (node: Tensor, replacements: Replacements) => Tensor,
  kept: Kept = new Set<Tensor>(),
): Tensor[] {
  const replacements = new Map<Tensor, Tensor>();
  for (const node of ancestors(outputs, kept)) {
    // New tensors get the scope of the tensor that they replace, so that errors and ONNX nodes still name its layer.
    const replacement = kept.has(node) ? node : withScope(node.scope, () => rewrite(node, replacements));
    replacements.set(node, replacement);
  }
  return outputs.map((output) => replacements.get(output)!);
}

/**
 * Replaces each operation by its `expand`. With `fixed`, the tensors whose values are known when the file is written: an operation whose inputs
 * after the first are all in this set is replaced by its `expandFixed` instead, or stays. `channelBlocks` is the option of `buildGraph`.
 */
export const expandOperations = (
  outputs: readonly Tensor[],
  {
    kept,
    fixed,
    channelBlocks = false,
  }: { kept?: Kept; fixed?: ReadonlySet<Tensor>; channelBlocks?: boolean } = {},
): Tensor[] =>
  rewriteGraph(
    outputs,
    (node, replacements) => {
      const rebuilt = withReplacedInputs(node, replacements);
      const { operation, inputs, attributes } = rebuilt;
      if (fixed && node.inputs.slice(1).every((input) => fixed.has(input)))
        return operation.expandFixed?.(inputs, attributes) ?? rebuilt;
      return operation.expand?.(inputs, attributes, channelBlocks) ?? rebuilt;
    },
    kept,
  );

/** The same operation on the replacements of its inputs; `node` itself if no input is replaced by another tensor. */
export function withReplacedInputs(node: Tensor, replacements: Replacements): Tensor {
  const inputs = node.inputs.map((input) => replacements.get(input)!);
  const changed = inputs.some((input, i) => input !== node.inputs[i]);
  if (!changed) return node;
  return withScope(node.scope, () => new Tensor(node.operation, inputs, node.attributes));
}

/**
 * The tensors that depend only on parameters and constants. Where the numbers of the parameters are written into the exported
 * graph, the values of these tensors do not change from run to run. `nodes` are in topological order.
 */
export function fixedTensors(nodes: readonly Tensor[]): Set<Tensor> {
  const fixed = new Set<Tensor>();
  for (const node of nodes) {
    const hasOwnValues = node instanceof Parameter || constantValues(node) !== undefined;
    // Other tensors without inputs, such as an input of the graph or the batch size, get their values when the graph runs.
    const isComputedFromFixed = node.inputs.length > 0 && node.inputs.every((input) => fixed.has(input));
    if (hasOwnValues || isComputedFromFixed) fixed.add(node);
  }
  return fixed;
}
