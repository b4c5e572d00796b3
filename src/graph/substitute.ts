import { input } from "./operations/source.ts";
import { withReplacedInputs } from "./passes/rewrite.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";
import { ancestors } from "./traversal.ts";

/** A tensor that stands for another one while a function is traced; `substitute` or a loop replaces it before the graph runs. */
export const placeholder = (shape: Shape): Tensor =>
  new Tensor(input, [], { shape: [...shape] }, "placeholder");

/** Rebuilds the graph of `outputs` with the keys of `substitutes` replaced by its values, which have the same shapes. */
export function substitute(outputs: readonly Tensor[], substitutes: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const replacement = new Map(substitutes);
  for (const node of ancestors(outputs, substitutes)) {
    if (!replacement.has(node)) replacement.set(node, withReplacedInputs(node, replacement));
  }
  return outputs.map((output) => replacement.get(output)!);
}

/**
 * The tensors that a traced function captures, as a closure captures variables: tensors that do not depend on `placeholders`, but
 * are an output or an input of a tensor that does. Tensors in `independent` must not depend on placeholders; their inputs are not
 * visited.
 */
export function capturedBy(
  outputs: readonly Tensor[],
  placeholders: readonly Tensor[],
  independent?: { has(tensor: Tensor): boolean },
): Tensor[] {
  const dependent = new Set(placeholders);
  const captured = new Set<Tensor>();
  const nodes = ancestors(outputs, independent);
  for (const node of nodes) if (node.inputs.some((parent) => dependent.has(parent))) dependent.add(node);
  for (const node of nodes) {
    if (!dependent.has(node)) continue;
    for (const parent of node.inputs) if (!dependent.has(parent)) captured.add(parent);
  }
  for (const output of outputs) if (!dependent.has(output)) captured.add(output);
  return [...captured];
}
