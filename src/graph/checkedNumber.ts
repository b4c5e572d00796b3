import { PushforwardError } from "../check/index.ts";

/** Returns the operand if it is a number. Throws `ARGUMENT` otherwise, as for an array in a program without type checks. */
export function checkedNumber(operand: unknown): number {
  if (typeof operand === "number") return operand;
  const isArray = Array.isArray(operand) || ArrayBuffer.isView(operand);
  throw new PushforwardError("ARGUMENT", "an operand is not a tensor", {
    expected: "a tensor or a number",
    received: isArray ? "an array" : String(operand),
    ...(isArray && {
      hint: "Make a tensor of it: constant(values, shape), or data(values) of pushforward/inference.",
    }),
  });
}
