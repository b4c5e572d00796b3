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
  const nodesByKey = new Map<string, Tensor>();
  const simplified = new Map<Tensor, Tensor>();
  /** The first node that is equal to this one. */
  const unique = (node: Tensor): Tensor => {
    // Inputs are different even if their shapes are equal.
    if (isInput(node)) return node;
    const key = keyOf(node);
    const equal = nodesByKey.get(key);
    if (equal) return equal;
    nodesByKey.set(key, node);
    return node;
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

/** Equal for nodes with equal operations, inputs and attributes. */
const keyOf = ({ operation, inputs, attributes }: Tensor): string =>
  `${operation.name} ${inputs.map(({ id }) => id).join(" ")} ${JSON.stringify(attributes, exactNumber)}`;

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
