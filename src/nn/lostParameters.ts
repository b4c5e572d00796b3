import { PushforwardError } from "../errors.ts";
import { Parameter } from "../graph/parameter.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentScope } from "../graph/tracing/scope.ts";
import { ancestors } from "../graph/traversal.ts";
import { parametersOf } from "./module.ts";

/**
 * Throws `ARGUMENT` if `outputs`, which `module` computed from `inputs`, read a parameter that `parametersOf(module)` does not
 * find, because it is in a #private field, a Map, a closure or a property that is not enumerable: it would be neither trained
 * nor saved. The error names the class in whose call the parameter was used.
 */
export function checkParametersFound(
  module: object,
  outputs: readonly Tensor[],
  inputs: readonly (Tensor | undefined)[],
): void {
  const lost = lostParameter(module, outputs, inputs);
  if (!lost) return;
  const nodes = ancestors(outputs, new Set<Tensor | undefined>(inputs));
  const { scope } = nodes.find((node) => node.inputs.includes(lost)) ?? lost;
  const { name, path } = ownerOf(module, scope);
  throw new PushforwardError(
    "ARGUMENT",
    `${name}${path && ` at ${path}`} computes with a parameter ${formatShape(lost.shape)} that is in none of its public properties`,
    {
      hint: "It would be neither trained nor saved. Store it in a public property of the module, in an array or in a plain object there: not in a #private field, a Map or a closure.",
    },
  );
}

/** A parameter that `outputs` read and that `module` does not show; the graph is walked once, up to the `inputs`. */
function lostParameter(
  module: object,
  outputs: readonly Tensor[],
  inputs: readonly (Tensor | undefined)[],
): Parameter | undefined {
  const found = new Set<Tensor>(parametersOf(module).values());
  const seen = new Set<Tensor | undefined>([...inputs, ...outputs]);
  const open = outputs.filter((output) => !inputs.includes(output));
  for (let node = open.pop(); node; node = open.pop()) {
    if (node instanceof Parameter && !found.has(node)) return node;
    for (const parent of node.inputs) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
  return undefined;
}

/** The innermost object of a class on a path of scopes, such as `bijection/bijections.0`, below `root`. */
function ownerOf(root: object, scope: string): { name: string; path: string } {
  const outer = currentScope();
  const inner = outer && scope.startsWith(`${outer}/`) ? scope.slice(outer.length + 1) : scope;
  let owner = { name: root.constructor.name, path: "" };
  let node: unknown = root;
  const walked: string[] = [];
  for (const key of inner.split(/[/.]/)) {
    node = (node as Record<string, unknown>)[key];
    if (typeof node !== "object" || node === null) break;
    walked.push(key);
    const type = node.constructor;
    if (type && type !== Object && type !== Array) owner = { name: type.name, path: walked.join(".") };
  }
  return owner;
}
