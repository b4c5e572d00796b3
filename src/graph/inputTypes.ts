import { PushforwardError } from "../errors.ts";
import type { Operation } from "./operation.ts";
import { formatShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** How messages call tensors of each type. */
const TYPE_NAMES = { float: "numbers", bool: "a boolean tensor" } as const;

const HINTS = {
  float: "Convert it with toFloat(), or choose numbers by it with where(a, b).",
  bool: "Compare the numbers, as in x.greater(0).",
} as const;

/**
 * Throws `ARGUMENT` if an input has a type that the operation does not take: ONNX Runtime would reject the whole graph, and not say
 * where.
 */
export function checkInputTypes(
  {
    name,
    type: outputType,
    inputTypes = outputType === "sameAsInput" ? ["sameAsFirst"] : ["float"],
  }: Operation,
  inputs: readonly Tensor[],
): void {
  for (const [i, { type, shape }] of inputs.entries()) {
    const stated = inputTypes[i] ?? inputTypes.at(-1);
    const expected = stated === "sameAsFirst" ? inputs[0].type : stated;
    if (expected === undefined || expected === "any" || expected === type) continue;
    throw new PushforwardError("ARGUMENT", `input ${i} of ${name} has a wrong type`, {
      expected: TYPE_NAMES[expected],
      received: `${TYPE_NAMES[type]} ${formatShape(shape)}`,
      hint: HINTS[expected],
    });
  }
}
