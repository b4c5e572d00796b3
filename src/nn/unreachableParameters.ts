import { PushforwardError } from "../check/index.ts";
import { ancestors, currentScope, formatShape, Parameter, type Tensor } from "../graph/index.ts";
import { parametersOf } from "./module.ts";

/**
 * Throws `ARGUMENT` if `outputs`, which `module` computed from `inputs`, depend on a parameter that `parametersOf(module)` does
 * not find, because it is in a #private field, a Map, a closure or a property that is not enumerable. Such a parameter would be
 * neither trained nor saved. The error names the class that uses the parameter.
 */
export function checkParametersReachable(
  module: object,
  outputs: readonly Tensor[],
  inputs: readonly (Tensor | undefined)[],
): void {
  const nodes = ancestors(outputs, new Set<Tensor | undefined>(inputs));
  const reachable = new Set<Tensor>(parametersOf(module).values());
  const parameter = nodes.find((node) => node instanceof Parameter && !reachable.has(node));
  if (!parameter) return;
  const { scope } = nodes.find((node) => node.inputs.includes(parameter)) ?? parameter;
  const { name, path } = ownerOf(module, scope);
  throw new PushforwardError(
    "ARGUMENT",
    `${name}${path && ` at ${path}`} uses a parameter ${formatShape(parameter.shape)} that is in none of its public properties`,
    {
      hint: "It is not trained or saved: store it in a public property of the module.",
    },
  );
}

/** The innermost object of a class on a scope path below `root`, such as `bijection/bijections.0`. */
function ownerOf(root: object, scope: string): { name: string; path: string } {
  const outer = currentScope();
  const inner = outer && scope.startsWith(`${outer}/`) ? scope.slice(outer.length + 1) : scope;
  let owner = { name: root.constructor.name, path: "" };
  let node: unknown = root;
  const keys: string[] = [];
  for (const key of inner.split(/[/.]/)) {
    node = (node as Record<string, unknown>)[key];
    if (typeof node !== "object" || node === null) break;
    keys.push(key);
    const type = node.constructor;
    if (type && type !== Object && type !== Array) owner = { name: type.name, path: keys.join(".") };
  }
  return owner;
}
