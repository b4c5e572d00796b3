import { expect, test } from "vitest";
import { lowerBound, upperBound } from "../../src/numerics/binarySearch.ts";

test("counts the elements below a number, and those that are at most the number", () => {
  const ascending = Float64Array.of(Number.NEGATIVE_INFINITY, -1, 2, 2, 2, 5);
  for (const x of [Number.NEGATIVE_INFINITY, -2, -1, 0, 2, 3, 5, Number.POSITIVE_INFINITY]) {
    expect(lowerBound(ascending, x)).toBe(ascending.filter((value) => value < x).length);
    expect(upperBound(ascending, x)).toBe(ascending.filter((value) => value <= x).length);
  }
  expect([lowerBound([], 0), upperBound([], 0)]).toEqual([0, 0]);
});
