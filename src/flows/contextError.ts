import { PushforwardError } from "../check/index.ts";

/** The error for a context that is missing or has a wrong number of features, and for any context of an unconditional flow. */
export function contextError(size: number, received: string): PushforwardError {
  if (size === 0)
    return new PushforwardError("ARGUMENT", "the flow is not conditional", {
      expected: "no context",
      received,
      hint: "Leave the context out, or build a conditional flow: nsf(features, { context: 2 }).",
    });
  const isMissing = received === "none";
  const what = isMissing ? "the flow needs a context" : "the context has a wrong shape";
  return new PushforwardError("ARGUMENT", what, {
    expected: `${size} ${size === 1 ? "feature" : "features"} per row`,
    received,
    ...(isMissing && {
      hint: "Give one row of context for all rows, or one for each: logProb(rows, context), or flow.withContext(context).",
    }),
  });
}
