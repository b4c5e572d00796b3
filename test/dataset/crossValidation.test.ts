import { expect, test } from "vitest";
import { crossValidationSplits } from "../../src/dataset/crossValidation.ts";
import { type Dataset, dataset } from "../../src/dataset/index.ts";
import { splitWithTest } from "../../src/dataset/splitWithTest.ts";
import { Random } from "../../src/random/index.ts";

const OPTIONS = { validationFraction: 0.1, seed: 0 };
const rowsOf = (count: number, context?: number[]) =>
  dataset(new Random(1).normal(new Float64Array(2 * count)), { features: 2, ...(context && { context }) });
const numbersOf = ({ sample: { rowNumbers } }: Dataset) => Array.from(rowNumbers).sort((a, b) => a - b);

test("each split of a small table validates on other rows, and all have the same rows", () => {
  const parts = splitWithTest(rowsOf(150), OPTIONS);
  const splits = crossValidationSplits(parts, 0)!;
  expect(splits.length).toBeGreaterThan(1);
  const learned = [...numbersOf(parts.training), ...numbersOf(parts.validation)].sort((a, b) => a - b);
  for (const { training, validation } of splits) {
    expect([...numbersOf(training), ...numbersOf(validation)].sort((a, b) => a - b)).toEqual(learned);
    expect(validation.rows).toBe(27);
  }
  const validated = splits.flatMap(({ validation }) => numbersOf(validation));
  expect(new Set(validated).size).toBe(validated.length);
});

test("the values and weights of a row stay together", () => {
  const values = Float64Array.from({ length: 100 }, (_, n) => n + 0.5);
  const rows = dataset(values, { features: 1, weights: values.map((value) => value / 100) });
  for (const { training, validation } of crossValidationSplits(splitWithTest(rows, OPTIONS), 0)!)
    for (const { sample } of [training, validation])
      for (const [i, n] of sample.rowNumbers.entries()) {
        expect(sample.values[i]).toBe(values[n]);
        expect(sample.weights[i]).toBe(values[n]! / 100);
      }
});

test("a stated share of validation rows above a fifth holds in each split", () => {
  const parts = splitWithTest(rowsOf(150), { ...OPTIONS, validationFraction: 0.4 });
  const splits = crossValidationSplits(parts, 0)!;
  expect(splits.map(({ validation }) => validation.rows)).toEqual([54, 54]);
});

test("a larger table, rows with a context, and a table without test rows are not cross-validated", () => {
  const context = Array.from({ length: 150 }, (_, n) => n % 7);
  for (const parts of [
    splitWithTest(rowsOf(300), OPTIONS),
    splitWithTest(rowsOf(150), { ...OPTIONS, testFraction: 0 }),
    splitWithTest(rowsOf(150, context), OPTIONS),
  ])
    expect(crossValidationSplits(parts, 0)).toBeUndefined();
  expect(crossValidationSplits(splitWithTest(rowsOf(299), OPTIONS), 0)).toHaveLength(2);
});
