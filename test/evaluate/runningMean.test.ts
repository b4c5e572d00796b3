import { expect, it } from "vitest";
import { RunningMean } from "../../src/numerics/index.ts";

it("is the mean with its standard error, also far from 0", () => {
  const values = [4, 7, 13, 16].map((value) => value + 1e9);
  const { count, mean, standardError } = RunningMean.of(values);
  expect([count, mean]).toEqual([4, 1e9 + 10]);
  // The sample variance is 30.
  expect(standardError).toBeCloseTo(Math.sqrt(30 / 4), 6);
});

it("has no standard error for one number, and is -Infinity if one number is", () => {
  expect(RunningMean.of([2]).standardError).toBeNaN();
  const infinite = RunningMean.of([1, Number.NEGATIVE_INFINITY, 2]);
  expect([infinite.count, infinite.mean, infinite.standardError]).toEqual([
    3,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ]);
});

it("equal weights change nothing, and weights of 0 leave numbers out", () => {
  const values = [1, 2, 4, 8];
  const plain = RunningMean.of(values);
  const weighted = RunningMean.of(values, [3, 3, 3, 3]);
  expect(weighted.mean).toBeCloseTo(plain.mean, 12);
  expect(weighted.standardError).toBeCloseTo(plain.standardError, 12);
  expect(RunningMean.of([...values, 1000], [1, 1, 1, 1, 0])).toEqual(plain);
});
