import { PushforwardError } from "../errors.ts";

/** The error for a context that is missing, of another width than `size`, or that an unconditional flow does not have. */
export function contextError(size: number, received: string): PushforwardError {
  return size === 0
    ? new PushforwardError("ARGUMENT", "the flow is not conditional", { expected: "no context", received })
    : new PushforwardError("ARGUMENT", "the flow is conditional", {
        expected: `a context of ${size} features a row`,
        received,
      });
}
