import type * as z from "zod/mini";
import { type ErrorCode, PushforwardError } from "./errors.ts";
import { nearestName } from "./nearestName.ts";

/**
 * Checks `value` by a schema and returns it with its defaults filled in.
 *
 * Throws the first thing that does not fit: what it belongs to, its path, what was expected and what was received:
 * `an autoregressive bijection does not fit at transform.bins: expected at least 2, received 1.`
 */
export function parse<S extends z.ZodMiniType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode = "ARGUMENT",
): z.output<S> {
  let known: readonly string[] = [];
  const result = schema.safeParse(value, {
    error: ({ code, inst }) => {
      // Only here an issue has the schema of the object that the unknown fields are in.
      if (code === "unrecognized_keys") known = Object.keys((inst as z.core.$ZodObject)._zod.def.shape);
      // zod words each of what may be 100,000 issues, and `expectation` words the first of these anew.
      return WORDED_HERE.has(code) ? "" : undefined;
    },
  });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue.path.map(String);
  throw new PushforwardError(code, `${what} does not fit${path.length ? ` at ${path.join(".")}` : ""}`, {
    ...contrast(issue, at(value, issue.path), known),
  });
}

type Issue = z.core.$ZodIssue;

/** Issues whose text `expectation` makes. */
const WORDED_HERE: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "too_small", "too_big"]);

function contrast(
  issue: Issue,
  received: unknown,
  known: readonly string[],
): { expected: string; received: string } {
  if (issue.code === "unrecognized_keys") return unknownNames(issue.keys, known);
  return { expected: expectation(issue), received: brief(received) };
}

/** What an error says of fields or options that do not exist, with the name that was most likely meant by the first. */
export function unknownNames(
  names: readonly string[],
  known: readonly string[],
): { expected: string; received: string } {
  const nearest = nearestName(names[0] ?? "", known);
  const received = shortened(names.map(unquoted).join(", "));
  return {
    expected: known.length > 0 ? oneOf(known) : "nothing",
    received: nearest === undefined ? received : `${received} (did you mean ${nearest}?)`,
  };
}

const NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  string: "a text",
  array: "a list",
  object: "an object",
};

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return NAMES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values.map(brief));
    case "invalid_union":
      return "options" in issue ? oneOf((issue.options as unknown[]).map(brief)) : issue.message;
    case "too_small":
      return `${listOf(issue.origin)}${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `${listOf(issue.origin)}${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const oneOf = (values: readonly string[]) =>
  values.length === 1 ? values[0] : `one of ${values.join(", ")}`;
const listOf = (origin: string) => (origin === "array" ? "a list of " : "");

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

/** A value as an error shows it: JSON, cut where it is long. */
export function brief(value: unknown): string {
  if (value === undefined) return "nothing";
  return shortened(escaped(typeof value === "number" ? String(value) : json(value)));
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, or a bigint.
    return String(value);
  }
}

/** A text as an error shows it. */
export const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

const unquoted = (key: string): string => escaped(JSON.stringify(key)).slice(1, -1);

/** JSON escapes control characters up to 31 only. A terminal obeys others too, and shows some as nothing or backwards. */
const escaped = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
