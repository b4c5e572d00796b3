import type { Dataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { FitValues } from "./fitOptions.ts";
import type { RowParts } from "./fitReport.ts";

/** Smaller tables have no test rows by default. */
const MIN_ROWS_FOR_TEST = 200;

/** The fraction of the rows that a finished model is tested on. */
export const testFractionOf = (rows: number, { testFraction }: Pick<FitValues, "testFraction">): number =>
  testFraction ?? (rows >= MIN_ROWS_FOR_TEST ? 0.1 : 0);

/** Splits rows at random into training, validation and test rows. Equal options give an equal split. */
export function splitRows(
  all: Dataset,
  { seed, testFraction, validationFraction }: Pick<FitValues, "seed" | "testFraction" | "validationFraction">,
): RowParts {
  const fraction = testFractionOf(all.rows, { testFraction });
  if (fraction === 0) return all.split(validationFraction, seed);
  const { training: others, validation: test } = all.split(fraction, seed);
  if (others.rows >= 2) return { ...others.split(validationFraction, seed), test };
  throw new PushforwardError("ARGUMENT", `--test-fraction ${fraction} leaves too few rows to learn from`, {
    expected: "2 rows or more",
    received: `${others.rows} of ${all.rows}`,
    hint: "Leave it out, or give a table with more rows.",
  });
}
