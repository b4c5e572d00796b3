import { Parameter } from "../graph/parameter.ts";

/**
 * All parameters in a tree of objects, by their path of property names: `bijections.3.conditioner.layers.0.weight`.
 * A parameter that is reached twice has its first name only.
 */
export function parametersOf(root: object): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  visit(root, (node, path) => {
    if (node instanceof Parameter) found.set(path, node);
  });
  return found;
}

/** All objects of a class in a tree of objects. */
export function partsOfClass<T extends object>(root: object, type: new (...args: never[]) => T): T[] {
  const found: T[] = [];
  visit(root, (node) => {
    if (node instanceof type) found.push(node);
  });
  return found;
}

/** Calls `see` once for each object in a tree, with its path of property names; does not go into parameters. */
function visit(
  node: unknown,
  see: (node: object, path: string) => void,
  path = "",
  seen = new Set<object>(),
): void {
  if (typeof node !== "object" || node === null || ArrayBuffer.isView(node) || seen.has(node)) return;
  // Orders and degrees are long, and visits of single numbers slow.
  if (Array.isArray(node) && typeof node[0] === "number") return;
  seen.add(node);
  see(node, path);
  if (node instanceof Parameter) return;
  for (const key in node) visit(node[key as never], see, path ? `${path}.${key}` : key, seen);
}

/** The parameters that training changes. */
export function trainableParameters(root: object): Map<string, Parameter> {
  return new Map([...parametersOf(root)].filter(([, parameter]) => parameter.trainable));
}
