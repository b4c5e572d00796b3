import { PushforwardError } from "../errors.ts";
import { ancestors } from "../graph/grad.ts";
import { Parameter } from "../graph/parameter.ts";
import { currentScope } from "../graph/scope.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
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
  const found = new Set<Tensor>(parametersOf(module).values());
  const nodes = ancestors(outputs, new Set<Tensor | undefined>(inputs));
  const lost = nodes.find((node) => node instanceof Parameter && !found.has(node) && !inputs.includes(node));
  if (!lost) return;
  const { scope } = nodes.find((node) => node.inputs.includes(lost)) ?? lost;
  const { name, path } = ownerOf(module, scope);
  throw new PushforwardError(
    "ARGUMENT",
    `${name}${path && ` at ${path}`} computes with a parameter ${formatShape(lost.shape)} that is in none of its public properties`,
    {
      mend: "It would be neither trained nor saved. Store it in a public property of the module, in an array or in a plain object there: not in a #private field, a Map or a closure.",
    },
  );
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
