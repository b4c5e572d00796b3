import fc from "fast-check";
import { expect, test } from "vitest";
import { type Place, slope, upperHalf } from "../../bench/scaling/slope.ts";

test("the slope of a power law is its exponent, whatever its factor", () => {
  const exponent = fc.double({ min: -3, max: 3, noNaN: true });
  const factor = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(exponent, factor, (a, c) => {
      const places = [2, 4, 8, 100].map((x): Place => [x, c * x ** a]);
      expect(slope(places)).toBeCloseTo(a, 9);
    }),
  );
});

test("beside a power law it is numpy's: numpy.polyfit(log([1, 2, 4, 8]), log([3, 5, 6, 20]), 1)[0]", () => {
  const places: Place[] = [
    [1, 3],
    [2, 5],
    [4, 6],
    [8, 20],
  ];
  expect(slope(places)).toBeCloseTo(0.8473931, 6);
});

test("the upper half has the middle in it", () => {
  expect(upperHalf([1, 2, 3, 4, 5])).toEqual([3, 4, 5]);
  expect(upperHalf([1, 2, 3, 4])).toEqual([3, 4]);
});
