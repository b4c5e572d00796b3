import { PushforwardError } from "../errors.ts";

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

  /** Returns a name that was not taken: `name`, or `name` with a number appended. */
  unique(name: string): string {
    const uses = this.uses.get(name);
    this.uses.set(name, (uses ?? 0) + 1);
    return uses === undefined ? name : this.unique(`${name}_${uses}`);
  }
}
