import { availableParallelism } from "node:os";
import { PushforwardError } from "../errors.ts";

/** A whole number that an option was given; none if it was not. */
export function wholeNumber<T extends string | undefined>(
  name: string,
  text: T,
  limits: { min: number; max?: number },
): T extends string ? number : number | undefined;
export function wholeNumber(
  name: string,
  text: string | undefined,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
) {
  const range = `a whole number from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ""}`;
  return number(name, text, range, (x) => Number.isInteger(x) && x >= min && x <= max);
}

/**
 * Threads beyond the number of cores only take memory. They are allowed, since the number of threads decides how results are
 * rounded, and a result of a larger machine can then be reproduced here.
 */
const MAX_THREADS = Math.max(64, 2 * availableParallelism());

/** How many threads an option asks for. */
export const threadCount = (text: string | undefined): number | undefined =>
  wholeNumber("threads", text, { min: 1, max: MAX_THREADS });

/** A number above 0 that an option was given; none if it was not. */
export const positiveNumber = (name: string, text: string | undefined): number | undefined =>
  number(name, text, "a number above 0", (x) => x > 0 && x < Number.POSITIVE_INFINITY);

/** A share of something that an option was given, below 1; none if it was not. */
export function share<T extends string | undefined>(
  name: string,
  text: T,
  limits?: { zero?: boolean },
): T extends string ? number : number | undefined;
export function share(name: string, text: string | undefined, { zero = false } = {}) {
  const expected = `a share ${zero ? "from" : "above"} 0 and below 1`;
  return number(name, text, expected, (x) => (zero ? x >= 0 : x > 0) && x < 1);
}

/** Whole numbers in a list with commas. */
export const wholeNumbers = (name: string, text: string | undefined): number[] | undefined =>
  text?.split(",").map((part) => wholeNumber(name, part.trim(), { min: 1 }));

function number(
  name: string,
  text: string | undefined,
  expected: string,
  fits: (x: number) => boolean,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (fits(value)) return value;
  throw new PushforwardError("ARGUMENT", `--${name} does not fit`, {
    expected,
    received: text,
    hint: `Write for example --${name} ${EXAMPLES[name] ?? 1}`,
  });
}

const EXAMPLES: Readonly<Record<string, number | string>> = {
  epochs: 200,
  "max-minutes": 10,
  "batch-size": 256,
  "learning-rate": 0.001,
  "validation-fraction": 0.1,
  "test-fraction": 0.1,
  hidden: "64,64",
  rows: 1000,
};
