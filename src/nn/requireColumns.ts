import { PushforwardError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Throws `SHAPE` unless the last axis of `input` has this size. Without an input, the size must be 0. */
export function requireColumns(what: string, input: Tensor | undefined, columns: number): void {
  if ((input ? input.shape.at(-1) : 0) === columns) return;
  throw new PushforwardError("SHAPE", `${what} has a wrong shape`, {
    expected: columns === 0 ? "none" : `[N, ${columns}]`,
    received: input ? formatShape(input.shape) : "none",
  });
}
