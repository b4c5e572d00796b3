import { concatRows } from "./concatRows.ts";
import type { Split } from "./dataset.ts";
import { InMemoryDataset } from "./inMemoryDataset.ts";
import type { SplitWithTest } from "./splitWithTest.ts";

/** Tables with fewer rows than this are cross-validated. In larger tables one split has enough validation rows. */
const MIN_ROWS_OF_ONE_SPLIT = 200;
const SPLITS = 3;

/**
 * The splits of the training and validation rows by which a model of a small table is cross-validated. The first one is the given split, and
 * the validation rows of each are training rows of the others. A table of 200 rows or more has only the given split, as have rows with a
 * context, streams, and tables without test rows, where the validation rows are the only ones that no model was trained on.
 */
export function crossValidationSplits(rows: SplitWithTest, seed: number): readonly Split[] {
  const { training, validation, test } = rows;
  if (!test || !(training instanceof InMemoryDataset) || training.contextFeatures > 0) return [rows];
  if (training.rows + validation.rows + test.rows >= MIN_ROWS_OF_ONE_SPLIT) return [rows];
  const splits: Split[] = [rows];
  let remaining = training;
  let others = validation;
  while (splits.length < SPLITS && remaining.rows > validation.rows) {
    const split = remaining.split(validation.rows / remaining.rows, seed);
    splits.push({ training: joinedRows(split.training, others), validation: split.validation });
    remaining = split.training;
    others = joinedRows(others, split.validation);
  }
  return splits;
}

/** The rows of both datasets, which have the same columns. */
export const joinedRows = (a: InMemoryDataset, b: InMemoryDataset): InMemoryDataset =>
  a.with({
    values: concatRows([a.values, b.values]),
    context: concatRows([a.context, b.context]),
    weights: concatRows([a.weights, b.weights]),
    rowNumbers: Int32Array.from([...a.rowNumbers, ...b.rowNumbers]),
  });
