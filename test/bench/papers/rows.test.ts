import { describe, expect, test } from "vitest";
import {
  crossValidationFolds,
  randomSplit,
  selectColumns,
  semiSupervisedSplit,
  zScored,
} from "../../../bench/papers/rows.ts";

const sorted = (...parts: Int32Array[]) => parts.flatMap((part) => [...part]).sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("splits", () => {
  test("every row is a test row of one fold and a training row of the others", () => {
    const all = crossValidationFolds(23, 10, 1);
    expect(all).toHaveLength(10);
    expect(sorted(...all.map(({ test }) => test))).toEqual(upTo(23));
    for (const { train, test } of all) expect(sorted(train, test)).toEqual(upTo(23));
    expect(crossValidationFolds(23, 10, 1)).toEqual(all);
    expect(crossValidationFolds(23, 10, 2)).not.toEqual(all);
  });

  test("random splits have the given shares: 80, 10 and 10 of 100 rows", () => {
    const parts = randomSplit(100, [0.8, 0.1], 0);
    expect(parts.map(({ length }) => length)).toEqual([80, 10, 10]);
    expect(sorted(...parts)).toEqual(upTo(100));
    expect(randomSplit(827, [0.8, 0.1], 0).map(({ length }) => length)).toEqual([662, 82, 83]);
  });

  test("the first half of the normal rows is for training, and all other rows are test rows", () => {
    const { train, test } = semiSupervisedSplit([0, 1, 0, 0, 1, 0]);
    expect([...train]).toEqual([0, 2]);
    expect([...test]).toEqual([1, 3, 4, 5]);
  });

  test("half of an odd number of rows is rounded to even, as in NumPy", () => {
    const half = (normals: number) => semiSupervisedSplit(new Float64Array(normals)).train.length;
    // numpy.round([0.5, 1, 1.5, 2, 2.5, 3, 3.5])
    expect([1, 2, 3, 4, 5, 6, 7].map(half)).toEqual([0, 1, 2, 2, 2, 3, 4]);
  });
});

test("z-scores use the training rows, and are 0 for a constant column", () => {
  const [train, other] = zScored(
    { features: 2, values: Float64Array.of(0, 5, 4, 5) },
    { features: 2, values: Float64Array.of(6, 7) },
  );
  expect([...train.values]).toEqual([-1, 0, 1, 0]);
  expect([...other.values]).toEqual([2, 2]);
});

test("selectColumns selects a range of columns", () => {
  const { features, values } = selectColumns(
    { features: 3, values: Float64Array.of(1, 2, 3, 4, 5, 6) },
    1,
    3,
  );
  expect(features).toBe(2);
  expect([...values]).toEqual([2, 3, 5, 6]);
});
