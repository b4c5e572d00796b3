import { PushforwardError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Throws `SHAPE` unless the input or the context of a network has this number of columns. A network with 0 columns of context needs none. */
export function requireColumns(role: "input" | "context", tensor: Tensor | undefined, columns: number): void {
  if (!tensor && columns > 0) {
    throw new PushforwardError("SHAPE", `the ${role} of a network is missing`, {
      expected: `[N, ${columns}]`,
      received: "none",
    });
  }
  const received = tensor ? tensor.shape.at(-1) : 0;
  if (received === columns) return;
  throw new PushforwardError("SHAPE", `the ${role} of a network has a wrong number of features`, {
    expected: `${columns}`,
    received: `${received}`,
  });
}
