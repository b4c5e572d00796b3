import { PushforwardError } from "../check/index.ts";
import type { Graph } from "../graph/index.ts";

/** The names of the values in an ONNX graph, which must differ from each other. */
export class Names {
  private readonly uses = new Map<string, number>();

  /** Takes a name that must stay as it is. Throws `ARGUMENT` if it is taken already. */
  claim(name: string): void {
    if (this.uses.has(name)) {
      throw new PushforwardError(
        "ARGUMENT",
        `two inputs, parameters or outputs of the graph have the name ${name}`,
        { hint: "Give each a different name." },
      );
    }
    this.uses.set(name, 1);
  }

  /**
   * Returns a name that was not taken: `name`, or `name` with a number appended. With suffixes, the name followed by each of them was not taken
   * either.
   */
  unique(name: string, suffixes: readonly string[] = []): string {
    const uses = this.uses.get(name) ?? 0;
    this.uses.set(name, uses + 1);
    const names = suffixes.map((suffix) => name + suffix);
    if (uses > 0 || names.some((each) => this.uses.has(each)))
      return this.unique(`${name}_${Math.max(uses, 1)}`, suffixes);
    for (const each of names) this.uses.set(each, 1);
    return name;
  }
}

/**
 * Claims the names of the inputs and outputs of a graph, by which callers know them, so that nodes do not take them. Parameters that are not
 * embedded are inputs of the file. Throws `ARGUMENT` if two names are equal.
 */
export function claimNames(
  names: Names,
  graph: Graph,
  { embedParameters }: { embedParameters: boolean },
): void {
  const parameters = embedParameters ? [] : graph.parameters;
  for (const { name } of [...graph.inputs, ...parameters, ...graph.outputs]) names.claim(name);
}
