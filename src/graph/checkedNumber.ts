import { PushforwardError } from "../errors.ts";

/** Returns an operand that is a number. Throws `SHAPE` for anything else, such as an array in a program whose types are not checked. */
export function checkedNumber(operand: unknown): number {
  if (typeof operand === "number") return operand;
  const isArray = Array.isArray(operand) || ArrayBuffer.isView(operand);
  throw new PushforwardError("SHAPE", "an operand is not a tensor", {
    expected: "a tensor or a number",
    received: isArray ? "an array" : String(operand),
    ...(isArray && {
      hint: "Make a tensor of it: constant(values, shape), or data(values) of pushforward/inference.",
    }),
  });
}
