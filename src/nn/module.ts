import { Parameter } from "../graph/index.ts";

/**
 * All parameters of a module, which is an object of any class: those in its properties and, recursively, in the properties of the
 * objects there. The name of a parameter is its path of property names, such as `bijections.3.network.layers.0.weight`; a parameter
 * with several paths has the first one.
 */
export function parametersOf(root: object): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  visit(root, (node, path) => {
    if (node instanceof Parameter) found.set(path, node);
  });
  return found;
}

/** All objects of a class in a module. */
export function instancesOf<T extends object>(root: object, type: new (...args: never[]) => T): T[] {
  const found: T[] = [];
  visit(root, (node) => {
    if (node instanceof type) found.push(node);
  });
  return found;
}

/** Calls `callback` once for each object in a module, with its path. The properties of parameters are not visited. */
function visit(
  node: unknown,
  callback: (node: object, path: string) => void,
  path = "",
  seen = new Set<object>(),
): void {
  if (typeof node !== "object" || node === null || ArrayBuffer.isView(node) || seen.has(node)) return;
  // Permutations and degrees are long arrays of numbers, which would take long to visit.
  if (Array.isArray(node) && typeof node[0] === "number") return;
  seen.add(node);
  callback(node, path);
  if (node instanceof Parameter) return;
  for (const key in node) visit(node[key as never], callback, path ? `${path}.${key}` : key, seen);
}

/** The parameters of a module that training changes by gradients. */
export function trainableParameters(root: object): Map<string, Parameter> {
  return new Map([...parametersOf(root)].filter(([, parameter]) => parameter.trainable));
}
