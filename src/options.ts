import { PushforwardError } from "./errors.ts";
import { brief, unknownNamesDetails } from "./parse.ts";

/** Throws `ARGUMENT` unless `options` is undefined or an object whose keys are all in `names`. */
export function checkOptions(owner: string, options: unknown, names: readonly string[]): void {
  if (options === undefined) return;
  if (!isPlainObject(options)) {
    throw new PushforwardError("ARGUMENT", `the options of ${owner} are not an object`, {
      expected: `an object with any of ${names.join(", ")}`,
      received: brief(options),
    });
  }
  const unknown = Object.keys(options).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new PushforwardError("ARGUMENT", `unknown option of ${owner}`, unknownNamesDetails(unknown, names));
}

/** The error for the value of an option. */
export const invalidOption = (
  owner: string,
  name: string,
  expected: string,
  value: unknown,
): PushforwardError =>
  new PushforwardError("ARGUMENT", `the option ${name} of ${owner} has an invalid value`, {
    expected,
    received: brief(value),
  });

/** Whether a value is an object that is not array-like. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  typeof (value as { length?: unknown }).length !== "number";
