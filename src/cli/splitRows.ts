import { count } from "../check/index.ts";
import { type Dataset, InMemoryDataset, type SplitWithTest, splitWithTest } from "../dataset/index.ts";
import type { FitValues } from "./fitOptions.ts";
import type { Messages } from "./messages.ts";

/** If fewer than this share of the requested test rows could be held out, a warning is printed. */
const MIN_SHARE_OF_TEST_ROWS = 0.95;

/** Warns if `testFraction` asks for more test rows than a stream holds out (`StreamedDataset.split`). */
export function warnOfFewerTestRows(
  all: Dataset,
  test: Dataset | undefined,
  { testFraction = 0 }: Pick<FitValues, "testFraction">,
  messages: Pick<Messages, "warn">,
): void {
  const testRows = test?.rows ?? 0;
  if (all instanceof InMemoryDataset || testRows >= MIN_SHARE_OF_TEST_ROWS * testFraction * all.rows) return;
  messages.warn(
    `--test-fraction ${testFraction}: only ${count(testRows)} of ${count(all.rows)} rows are test rows, because the data are read from disk in each epoch.`,
  );
}

/** Splits rows at random into training, validation and test rows. Equal options give an equal split. */
export const splitRows = (
  all: Dataset,
  { seed, testFraction, validationFraction }: Pick<FitValues, "seed" | "testFraction" | "validationFraction">,
): SplitWithTest => splitWithTest(all, { seed, testFraction, validationFraction, name: "--test-fraction" });
