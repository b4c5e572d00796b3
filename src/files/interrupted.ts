import { PushforwardError } from "../check/index.ts";

/** The error after Ctrl-C while an activity, such as "reading quakes.csv", was not finished. */
export const stoppedWhile = (activity: string, cause?: unknown): PushforwardError =>
  new PushforwardError("INTERRUPTED", `Stopped while ${activity}`, { hint: "Run the command again.", cause });

export const interruptedError = (source: string, cause?: unknown): PushforwardError =>
  stoppedWhile(`reading ${source}`, cause);
