import { PushforwardError } from "../errors.ts";
import type { Dataset, Split } from "./dataset.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** Smaller tables have no test rows by default. */
const MIN_ROWS_FOR_TEST = 200;
const DEFAULT_TEST_FRACTION = 0.1;

/** Training and validation rows, and test rows that have no part in the training. */
export type SplitWithTest<D = Dataset> = Split<D> & { readonly test?: InMemoryDataset };

/** The fraction of test rows if `stated` is undefined: 0.1, or 0 for fewer than 200 rows. */
export const testFractionOf = (rows: number, stated: number | undefined): number =>
  stated ?? (rows >= MIN_ROWS_FOR_TEST ? DEFAULT_TEST_FRACTION : 0);

/** Options of `splitWithTest`. */
interface SplitWithTestOptions {
  /** Default 0.1, or 0 for fewer than 200 rows. */
  readonly testFraction?: number | undefined;
  /** Fraction of the rows that are not test rows. */
  readonly validationFraction: number;
  readonly seed: number;
  /** How messages call the option `testFraction`. Default `testFraction`. */
  readonly name?: string;
}

/** Splits rows at random. Throws `ARGUMENT` if `testFraction` is not from 0 up to, but not including, 1, or leaves fewer than 2 rows. */
export function splitWithTest<D extends Dataset & { split(fraction: number, seed: number): Split<D> }>(
  all: D,
  { testFraction, validationFraction, seed, name = "testFraction" }: SplitWithTestOptions,
): SplitWithTest<D> {
  const fraction = testFractionOf(all.rows, testFraction);
  if (!(fraction >= 0 && fraction < 1)) {
    throw new PushforwardError("ARGUMENT", `${name} has an invalid value`, {
      expected: "a number from 0 and below 1",
      received: String(fraction),
    });
  }
  if (fraction === 0) return all.split(validationFraction, seed);
  const { training: others, validation: test } = all.split(fraction, seed);
  if (others.rows >= 2) return { ...others.split(validationFraction, seed), test };
  throw new PushforwardError("ARGUMENT", `${name} ${fraction} leaves too few rows to learn from`, {
    expected: "2 rows or more",
    received: `${others.rows} of ${all.rows}`,
    hint: "Leave it out, or give a table with more rows.",
  });
}
