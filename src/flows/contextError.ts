import { PushforwardError } from "../errors.ts";

/** The error for a context that is missing or has a wrong number of features, and for any context of an unconditional flow. */
export function contextError(size: number, received: string): PushforwardError {
  return size === 0
    ? new PushforwardError("ARGUMENT", "the flow is not conditional", { expected: "no context", received })
    : new PushforwardError("ARGUMENT", "the flow is conditional", {
        expected: `a context with ${size} ${size === 1 ? "feature" : "features"} per row`,
        received,
      });
}
