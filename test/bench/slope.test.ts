import fc from "fast-check";
import { expect, test } from "vitest";
import { type CurvePoint, slope, upperHalf } from "../../bench/scaling/slope.ts";

test("the slope of a power law is its exponent for every factor", () => {
  const exponent = fc.double({ min: -3, max: 3, noNaN: true });
  const factor = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(exponent, factor, (a, c) => {
      const points = [2, 4, 8, 100].map((x): CurvePoint => [x, c * x ** a]);
      expect(slope(points)).toBeCloseTo(a, 9);
    }),
  );
});

test("the slope equals numpy.polyfit(log([1, 2, 4, 8]), log([3, 5, 6, 20]), 1)[0]", () => {
  const points: CurvePoint[] = [
    [1, 3],
    [2, 5],
    [4, 6],
    [8, 20],
  ];
  expect(slope(points)).toBeCloseTo(0.8473931, 6);
});

test("the upper half includes the middle point", () => {
  expect(upperHalf([1, 2, 3, 4, 5])).toEqual([3, 4, 5]);
  expect(upperHalf([1, 2, 3, 4])).toEqual([3, 4]);
});
