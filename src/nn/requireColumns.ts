import { PushforwardError } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";

/** Throws `SHAPE` unless the input or the context of a network has this number of columns. A network with 0 columns of context needs none. */
export function requireColumns(role: "input" | "context", tensor: Tensor | undefined, columns: number): void {
  const received = tensor ? tensor.shape.at(-1) : 0;
  if (received === columns) return;
  const problem = tensor ? "has a wrong number of features" : "is missing";
  throw new PushforwardError("SHAPE", `the ${role} of a network ${problem}`, {
    expected: `${columns}`,
    received: tensor ? `${received}` : "none",
  });
}
