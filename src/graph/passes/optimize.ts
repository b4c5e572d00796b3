import type { Operation } from "../operation.ts";
import { constant, isInput, scalarValue } from "../operations/source.ts";
import { apply, type Tensor } from "../tensor.ts";
import { withScope } from "../tracing/scope.ts";
import { type Kept, rewriteGraph, withReplacedInputs } from "./rewrite.ts";
import { sinkTransposes } from "./transposes.ts";

/**
 * Rebuilds the graph of `outputs`, inputs first: equal nodes become one node (common subexpression elimination), operations on
 * scalar constants are evaluated, and each node is simplified by the rule of its operation. Nodes that no output needs are left
 * out. Tensors in `kept`, and the tensors that they depend on, stay as they are.
 */
export function optimize(outputs: readonly Tensor[], kept?: Kept): Tensor[] {
  const nodesByOperation = new Map<Operation, Map<string, Tensor>>();
  const simplified = new Map<Tensor, Tensor>();
  /** The first node that is equal to this one. */
  const unique = (node: Tensor): Tensor => {
    // Inputs are different even if their shapes are equal.
    if (isInput(node)) return node;
    // Operations of users may be different although their names are equal.
    const nodes = nodesByOperation.get(node.operation) ?? new Map<string, Tensor>();
    nodesByOperation.set(node.operation, nodes);
    const key = keyOf(node);
    const equal = nodes.get(key) ?? node;
    nodes.set(key, equal);
    return equal;
  };
  return rewriteGraph(
    outputs,
    (node, replacements) => {
      const rebuilt = unique(withReplacedInputs(node, replacements));
      const simple = simplified.get(rebuilt) ?? unique(simplify(rebuilt));
      simplified.set(rebuilt, simple);
      return simple;
    },
    kept,
  );
}

/** Equal for nodes of one operation with equal inputs and attributes. */
const keyOf = ({ inputs, attributes }: Tensor): string =>
  `${inputs.map(({ id }) => id).join(" ")} ${JSON.stringify(attributes, exactNumber)}`;

/** JSON writes NaN and infinities as null, and -0 as 0. */
const exactNumber = (_key: string, value: unknown) =>
  typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
    ? `${1 / value} ${value}`
    : value;

const simplify = (node: Tensor): Tensor =>
  withScope(
    node.scope,
    () => foldConstant(node) ?? node.operation.simplify?.(node) ?? sinkTransposes(node) ?? node,
  );

function foldConstant({ operation, inputs, shape }: Tensor): Tensor | undefined {
  if (!operation.evaluate || shape.length > 0) return undefined;
  const values = inputs.map(scalarValue).filter((value) => value !== undefined);
  if (values.length < inputs.length) return undefined;
  return apply(constant, [], { shape: [], values: [operation.evaluate(...values)] });
}
