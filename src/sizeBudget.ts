import { PushforwardError } from "./errors.ts";

/** What a model may ask for while it is built from the description of a file. */
interface SizeBudget {
  /** Those in the file. */
  readonly numbers: number;
  claimed: number;
  readonly largestSize: number;
}

let budget: SizeBudget | undefined;

/**
 * A description may exceed its file by this many numbers or bytes, which cost next to nothing. A size that an option states
 * but the model does not use can then be larger than the file, and a missing array is reported by its name.
 */
const ALLOWANCE = 65_536;

/**
 * Builds a model that has to get by with the numbers of its file, so that a small file cannot ask for a large memory. Inside,
 * a parameter claims its numbers before it allocates them, and no size in a description may exceed `bytes`, those of the
 * file, by much. Throws `MODEL` when the description asks for more.
 */
export function buildWithin<T>({ numbers, bytes }: { numbers: number; bytes: number }, build: () => T): T {
  const outer = budget;
  budget = { numbers, claimed: 0, largestSize: bytes + ALLOWANCE };
  try {
    return build();
  } finally {
    budget = outer;
  }
}

/** The largest size that a description may declare: any, unless a model is built from a file. */
export const largestSize = (): number => budget?.largestSize ?? Number.POSITIVE_INFINITY;

/** Takes the numbers of a parameter from those of the file. To be called before they are allocated. */
export function claimNumbers(count: number): void {
  requireNumbers(count);
  if (budget) budget.claimed += count;
}

/** Checks that the file has numbers for parameters that follow, before lists that are as long are made for them. */
export function requireNumbers(count: number): void {
  if (!budget || budget.claimed + count <= budget.numbers + ALLOWANCE) return;
  throw new PushforwardError("MODEL", "the model's description asks for more numbers than the file has", {
    expected: `at most ${budget.numbers}`,
    received: `${budget.claimed + count} or more`,
    hint: "The file was not written by pushforward, or was changed since.",
  });
}
