/**
 * The one error class of pushforward: what happened, what was expected, what was received, and a hint how to fix it.
 *
 * `code` is stable and may be matched by programs; `message` is written for people.
 */
export type ErrorCode =
  | "SHAPE" // shapes that do not fit together
  | "ARGUMENT" // a value outside what an option or a parameter allows
  | "DATA" // a table that cannot be used as it is
  | "FILE" // a file that is missing, unreadable or cannot be written
  | "MODEL" // a model file that is damaged, foreign, newer, or does not fit the data
  | "NUMERIC" // a NaN or an infinity, with the layer and the row where it first appeared
  | "ENGINE" // the tensor engine refused a graph
  | "INTERRUPTED"; // stopped by the user

export interface ErrorDetails {
  /** What would have been right. */
  expected?: string;
  /** What was there instead. */
  received?: string;
  /** One sentence on how to fix it. */
  hint?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

export class PushforwardError extends Error {
  readonly code: ErrorCode;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const { expected, received, hint, cause } = details;
    const contrast = [expected && `expected ${expected}`, received && `received ${received}`].filter(Boolean);
    const sentence = contrast.length ? `${what}: ${contrast.join(", ")}.` : `${what}.`;
    super(hint ? `${sentence}\n${hint}` : sentence, cause === undefined ? undefined : { cause });
    this.name = "PushforwardError";
    this.code = code;
    this.expected = expected;
    this.received = received;
    this.hint = hint;
  }
}
