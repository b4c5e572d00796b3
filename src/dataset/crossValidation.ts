import { concatDatasets } from "./concatDatasets.ts";
import type { Split } from "./dataset.ts";
import { InMemoryDataset } from "./inMemoryDataset.ts";
import type { SplitWithTest } from "./splitWithTest.ts";

/**
 * Tables with fewer rows than this are cross-validated. In larger tables one split has enough validation rows
 * (bench/tables/EXPERIMENTS.md).
 */
const MIN_ROWS_OF_ONE_SPLIT = 300;
/** The number of splits and the share of their validation rows were chosen in bench/tables/EXPERIMENTS.md. */
const SPLITS = 2;
const VALIDATION_SHARE = 0.2;

/**
 * The splits of the training and validation rows by which a model of a small table is cross-validated. Each has a fifth of the rows for
 * validation, or as many as the given split if that is more, and these are training rows of the other splits. Undefined for a table of 300
 * rows or more, for rows with a context, and for a stream. It is undefined for a table without test rows too: after cross-validation no row
 * would be new to the model.
 */
export function crossValidationSplits(
  { training, validation, test }: SplitWithTest,
  seed: number,
): readonly Split<InMemoryDataset>[] | undefined {
  if (!test || !(training instanceof InMemoryDataset) || training.contextFeatures > 0) return undefined;
  if (training.rows + validation.rows + test.rows >= MIN_ROWS_OF_ONE_SPLIT) return undefined;
  let remaining = concatDatasets([training, validation]);
  const count = Math.max(validation.rows, Math.round(VALIDATION_SHARE * remaining.rows));
  const splits: Split<InMemoryDataset>[] = [];
  while (splits.length < SPLITS && remaining.rows > count) {
    const split = remaining.split(count / remaining.rows, seed);
    const others = splits.map((each) => each.validation);
    splits.push({ training: concatDatasets([split.training, ...others]), validation: split.validation });
    remaining = split.training;
  }
  return splits.length > 1 ? splits : undefined;
}
