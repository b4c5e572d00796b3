import type * as z from "zod/mini";
import { brief, type ErrorCode, escapeControlCharacters, PushforwardError, shortened } from "./errors.ts";
import { nearestName } from "./nearestName.ts";

/**
 * Validates `value` by a schema, and returns it with its defaults filled in. `what` is the subject of errors.
 *
 * Throws an error for the first issue, with its path, what was expected and what was received:
 * `an autoregressive bijection is not valid at transform.bins: expected at least 2, received 1.`
 */
export function parse<S extends z.ZodMiniType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode = "ARGUMENT",
): z.output<S> {
  let allowedNames: readonly string[] = [];
  const result = schema.safeParse(value, {
    error: ({ code, inst }) => {
      // Only this callback receives the schema of the object that has the unknown fields.
      if (code === "unrecognized_keys")
        allowedNames = Object.keys((inst as z.core.$ZodObject)._zod.def.shape);
      // A hostile file may have 100,000 issues. zod need not generate texts that `expectation` replaces.
      return WORDED_BY_EXPECTATION.has(code) ? "" : undefined;
    },
  });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue.path.map(String).join(".");
  throw new PushforwardError(code, `${what} is not valid${path ? ` at ${path}` : ""}`, {
    ...issueDetails(issue, valueAt(value, issue.path), allowedNames),
    path: path || undefined,
  });
}

type Issue = z.core.$ZodIssue;

/** Codes of the issues whose text `expectation` generates. */
const WORDED_BY_EXPECTATION: ReadonlySet<string> = new Set([
  "invalid_type",
  "invalid_value",
  "too_small",
  "too_big",
]);

function issueDetails(
  issue: Issue,
  received: unknown,
  known: readonly string[],
): { expected: string; received: string } {
  if (issue.code === "unrecognized_keys") return unknownNamesDetails(issue.keys, known);
  return { expected: expectation(issue), received: brief(received) };
}

/**
 * The details of an error for unknown fields or options. They suggest the allowed name that is most similar to the first unknown
 * one.
 */
export function unknownNamesDetails(
  names: readonly string[],
  known: readonly string[],
): { expected: string; received: string } {
  const nearest = nearestName(names[0] ?? "", known);
  const received = shortened(names.map(escapeName).join(", "));
  return {
    expected: known.length > 0 ? oneOf(known) : "nothing",
    received: nearest === undefined ? received : `${received} (did you mean ${nearest}?)`,
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "an integer",
  number: "a number",
  boolean: "true or false",
  string: "a string",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};

/** zod's message for an invalid union whose schema defines no message. */
const UNNAMED_UNION = "Invalid input";

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values.map(brief));
    case "invalid_union":
      if ("options" in issue) return oneOf((issue.options as unknown[]).map(brief));
      if (issue.message !== UNNAMED_UNION) return issue.message;
      return issue.errors.flatMap(([first]) => (first ? [expectation(first)] : [])).join(" or ");
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

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

const escapeName = (key: string): string => escapeControlCharacters(JSON.stringify(key)).slice(1, -1);
