import { Parameter } from "../graph/parameter.ts";

/**
 * All parameters in a tree of objects, by their path of property names: `bijections.3.conditioner.layers.0.weight`.
 * A parameter that is reached twice has its first name only.
 */
export function parametersOf(root: object): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  const seen = new Set<object>();
  const visit = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null || ArrayBuffer.isView(node) || seen.has(node)) return;
    seen.add(node);
    if (node instanceof Parameter) {
      found.set(path, node);
      return;
    }
    for (const [key, child] of Object.entries(node)) visit(child, path ? `${path}.${key}` : key);
  };
  visit(root, "");
  return found;
}

/** The parameters that training changes. */
export function trainableParameters(root: object): Map<string, Parameter> {
  return new Map([...parametersOf(root)].filter(([, parameter]) => parameter.trainable));
}
