import { PushforwardError } from "./errors.ts";

/** Limits for a model that is built from the description in a file, and the numbers that it has claimed so far. */
interface SizeBudget {
  /** The number of numbers in the file. */
  readonly numbers: number;
  claimed: number;
  readonly largestSize: number;
}

let budget: SizeBudget | undefined;

/**
 * A model may have this many more numbers than its file, and a size may exceed the number of bytes of the file by as much. This
 * many numbers cost almost nothing. Without the allowance, a size that the model does not use would be an error, and a missing
 * array would be reported as a too large model instead of by its name.
 */
const ALLOWANCE_BEYOND_FILE = 65_536;

/**
 * Builds a model with at most about as many numbers as its file has, so that a small file cannot cause large allocations. While
 * `build` runs, each parameter claims its numbers before it allocates them, and no size in a description may be much larger than
 * `bytes`, the size of the file. Throws `MODEL` if the description exceeds these limits.
 */
export function withSizeBudget<T>({ numbers, bytes }: { numbers: number; bytes: number }, build: () => T): T {
  const outer = budget;
  budget = { numbers, claimed: 0, largestSize: bytes + ALLOWANCE_BEYOND_FILE };
  try {
    return build();
  } finally {
    budget = outer;
  }
}

/** The largest size that a description may declare. It is unlimited unless a model is built from a file. */
export const largestSize = (): number => budget?.largestSize ?? Number.POSITIVE_INFINITY;

/** Claims the numbers of a parameter. Call this before their allocation. Throws `MODEL` if the file has too few. */
export function claimNumbers(count: number): void {
  requireNumbers(count);
  if (budget) budget.claimed += count;
}

/** Checks, without a claim, that the file has `count` numbers left, before other arrays of this length are allocated. */
export function requireNumbers(count: number): void {
  if (!budget || budget.claimed + count <= budget.numbers + ALLOWANCE_BEYOND_FILE) return;
  throw new PushforwardError("MODEL", "the model's description needs more numbers than the file has", {
    expected: `at most ${budget.numbers}`,
    received: `${budget.claimed + count} or more`,
    hint: "The file was not written by pushforward, or was changed since.",
  });
}
