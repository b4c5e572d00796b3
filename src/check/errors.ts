/** The category of an error. Codes are stable, so programs may depend on them. */
export type ErrorCode =
  | "SHAPE" // shapes that do not match
  | "ARGUMENT" // an option or an argument with a value that is not allowed
  | "DATA" // rows or a table that cannot be used as they are
  | "FILE" // a file that is missing, or that cannot be read or written
  | "MODEL" // a model file that is damaged, from another program, from another version, or not for these data
  | "NUMERIC" // a NaN or an infinite number, with the layer and the row where it first appeared
  | "ENGINE" // ONNX Runtime rejected a graph or an execution provider
  | "DEPENDENCY" // an optional package that is not installed
  | "INTERRUPTED"; // stopped by the user

export interface ErrorDetails {
  /** What would have been right. */
  expected?: string;
  /** What was received instead. */
  received?: string;
  /** One sentence on how to fix it. */
  hint?: string | undefined;
  /** Where in a description, in options or in a file the error is, such as `flow.bijection.type`. */
  path?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * The only error class of pushforward: what happened, what was expected, what was received, and a hint how to fix it.
 *
 * `message` is text for people, and may change. Programs should read the fields.
 */
export class PushforwardError extends Error {
  readonly code: ErrorCode;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly hint: string | undefined;
  /** Where in a description, in options or in a file the error is, such as `flow.bijection.type`. */
  readonly path: string | undefined;
  readonly #texts: readonly [summary: string, what: string];

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const { expected, received, hint, path, cause } = details;
    const expectedAndReceived = [expected && `expected ${expected}`, received && `received ${received}`]
      .filter(Boolean)
      .join(", ");
    const sentence = `${what}${expectedAndReceived && ": "}${expectedAndReceived}.`;
    super(hint ? `${sentence}\n${hint}` : sentence, cause === undefined ? undefined : { cause });
    this.name = "PushforwardError";
    this.code = code;
    this.expected = expected;
    this.received = received;
    this.hint = hint;
    this.path = path;
    this.#texts = [what, sentence];
  }

  /**
   * What happened, without the details. `new PushforwardError(code, `... ${error.summary}`, { ...error, cause: error })` adds words to an error
   * and keeps its details.
   *
   * @internal
   */
  get summary(): string {
    return this.#texts[0];
  }

  /**
   * The message without the hint, which is its last line.
   *
   * @internal
   */
  get what(): string {
    return this.#texts[1];
  }
}

/** A value as text for errors: JSON, truncated if it is long. */
export function brief(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return `${value}n (a bigint)`;
  return shortened(escapeControlCharacters(typeof value === "number" ? String(value) : json(value)));
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    // The stack is too small for the value; `String` would fail too.
    if (error instanceof RangeError) return "a value that is nested too deeply";
    // The value has a bigint or a cycle.
    return String(value);
  }
}

/** Text for errors and tables, truncated if it is long. */
export const shortened = (text: string, maxLength = 60): string =>
  text.length > maxLength ? `${text.slice(0, maxLength - 3)}...` : text;

/** JSON escapes control characters up to 31 only. Terminals interpret others too, or show them as nothing or in reverse order. */
export const escapeControlCharacters = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
