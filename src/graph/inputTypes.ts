import { PushforwardError } from "../check/index.ts";
import type { Operation } from "./operation.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Throws `ARGUMENT` if an input has a type that the operation does not take: ONNX Runtime would reject the whole graph, and not say
 * where.
 */
export function checkInputTypes(
  { name, type, inputTypes = [type === "sameAsInput" ? "sameAsFirst" : "float"] }: Operation,
  inputs: readonly Tensor[],
): void {
  inputs.forEach(({ type: received }, i) => {
    const stated = inputTypes[i] ?? inputTypes.at(-1);
    const expected = stated === "sameAsFirst" ? inputs[0].type : stated;
    if (expected === "any" || expected === received) return;
    throw new PushforwardError("ARGUMENT", `input ${i} of ${name} has the wrong type`, {
      expected,
      received,
      hint: "Convert bool to float with toFloat(), and float to bool with a comparison.",
    });
  });
}
