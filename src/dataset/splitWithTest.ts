import { PushforwardError } from "../check/index.ts";
import type { Dataset, Split } from "./dataset.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** Tables with fewer rows have no test rows by default. */
const MIN_ROWS_FOR_TEST = 20;
const DEFAULT_TEST_FRACTION = 0.1;

/** Training and validation rows, and test rows that have no part in the training. */
export type SplitWithTest<D = Dataset> = Split<D> & { readonly test?: InMemoryDataset | undefined };

/** `testFraction`, or its default: 0.1, or 0 for fewer than 20 rows. */
export const testFractionOf = (rows: number, testFraction: number | undefined): number =>
  testFraction ?? (rows >= MIN_ROWS_FOR_TEST ? DEFAULT_TEST_FRACTION : 0);

/** Options of `splitWithTest`. */
interface SplitWithTestOptions {
  /** Default 0.1, or 0 for fewer than 20 rows. */
  readonly testFraction?: number | undefined;
  /** The fraction of validation rows among the rows that are not test rows. */
  readonly validationFraction: number;
  readonly seed: number;
  /** How messages call the option `testFraction`. Default `testFraction`. */
  readonly name?: string;
}

/** Splits rows at random. Throws `ARGUMENT` if `testFraction` is not from 0 up to, but not including, 1, or leaves fewer than 2 rows. */
export function splitWithTest<D extends Dataset & { split(fraction: number, seed: number): Split<D> }>(
  data: D,
  { testFraction, validationFraction, seed, name = "testFraction" }: SplitWithTestOptions,
): SplitWithTest<D> {
  const fraction = testFractionOf(data.rows, testFraction);
  if (!(fraction >= 0 && fraction < 1)) {
    throw new PushforwardError("ARGUMENT", `${name} has an invalid value`, {
      expected: "a number of at least 0 and below 1",
      received: String(fraction),
    });
  }
  if (fraction === 0) return data.split(validationFraction, seed);
  const { training: remaining, validation: test } = data.split(fraction, seed);
  if (remaining.rows >= 2) return { ...remaining.split(validationFraction, seed), test };
  throw new PushforwardError("ARGUMENT", `${name} ${fraction} leaves too few rows to learn from`, {
    expected: "2 rows or more",
    received: `${remaining.rows} of ${data.rows}`,
    hint: "Leave it out, or give a table with more rows.",
  });
}
