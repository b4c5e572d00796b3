import { brief, PushforwardError } from "./errors.ts";
import { unknownNamesDetails } from "./parse.ts";

/** What the value of an option must be. An option that is undefined has its default, unless it is required. */
export interface OptionRule {
  /** How an error calls the values that are accepted. */
  readonly expected: string;
  accepts(value: unknown): boolean;
  readonly isRequired?: boolean;
}

/** A rule for each option of the type O. */
export type OptionRules<O> = { readonly [K in keyof O]-?: OptionRule };

/** A value that is checked elsewhere, such as rows. */
export const anyValue: OptionRule = { expected: "a value", accepts: () => true };

export const text: OptionRule = { expected: "a string", accepts: (value) => typeof value === "string" };

export const callback: OptionRule = {
  expected: "a function",
  accepts: (value) => typeof value === "function",
};

export const trueOrFalse: OptionRule = {
  expected: "true or false",
  accepts: (value) => typeof value === "boolean",
};

export const listOfTexts: OptionRule = {
  expected: "a list of strings",
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
};

export const abortSignal: OptionRule = {
  expected: "an AbortSignal",
  // `instanceof` would reject a signal of another realm, such as a frame of a page, which has its own AbortSignal class.
  accepts: (value) => typeof value === "object" && value !== null && "aborted" in value,
};

/** The seed of a `Random`. */
export const seedValue: OptionRule = {
  expected: "an integer from 0 to 2^64 - 1 (a bigint from 2^53 on)",
  accepts: (value) =>
    typeof value === "bigint"
      ? value >= 0n && value < 2n ** 64n
      : Number.isSafeInteger(value) && (value as number) >= 0,
};

export const integerFrom = (min: number): OptionRule => ({
  expected: `${min}, ${min + 1}, ${min + 2}, ...`,
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min,
});

export const finiteNumber: OptionRule = { expected: "a finite number", accepts: Number.isFinite };

/** A number above `min`. */
export const numberAbove = (min: number): OptionRule => ({
  expected: `a number above ${min}`,
  accepts: (value) => typeof value === "number" && value > min,
});

/** A number of at least `min`. */
export const numberFrom = (min: number): OptionRule => ({
  expected: `a number of at least ${min}`,
  accepts: (value) => typeof value === "number" && value >= min,
});

export const oneOf = (...values: readonly string[]): OptionRule => ({
  expected: values.map((value) => `"${value}"`).join(" or "),
  accepts: (value) => values.includes(value as string),
});

export const required = (rule: OptionRule): OptionRule => ({ ...rule, isRequired: true });

/**
 * Throws `ARGUMENT` unless `options` is an object in which each key has a rule and each value follows its rule. `options` may be
 * undefined if no option is required. `owner` names the function or class in errors.
 */
export function checkOptions<O extends object>(
  owner: string,
  options: O | undefined,
  rules: OptionRules<NoInfer<O>>,
): void {
  const entries = Object.entries<OptionRule>(rules);
  if (options === undefined && !entries.some(([, { isRequired }]) => isRequired)) return;
  const names = Object.keys(rules);
  if (!isPlainObject(options)) {
    throw new PushforwardError("ARGUMENT", `the options of ${owner} are not an object`, {
      expected: `an object with any of ${names.join(", ")}`,
      received: brief(options),
    });
  }
  const unknown = Object.keys(options).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new PushforwardError("ARGUMENT", `unknown option of ${owner}`, unknownNamesDetails(unknown, names));
  for (const [name, { expected, accepts, isRequired }] of entries) {
    const value: unknown = options[name];
    if (value === undefined ? isRequired : !accepts(value)) throw invalidOption(owner, name, expected, value);
  }
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
