import fc from "fast-check";
import { expect, test } from "vitest";
import { median, quantile, quartiles, spread } from "../../bench/speed/statistics.ts";

test("quantiles equal numpy.quantile([3, 1, 4, 1, 5, 9], [0, 0.25, 0.5, 0.75, 1])", () => {
  const values = [3, 1, 4, 1, 5, 9];
  expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(values, share))).toEqual([1, 1.5, 3.5, 4.75, 9]);
  expect(median(values)).toBe(3.5);
  expect(quartiles(values)).toEqual([1.5, 4.75]);
  expect(spread(values)).toBe(3.25);
});

test("half of the values lie on each side of the median, and the spread of one value is 0", () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
  fc.assert(
    fc.property(values, (values) => {
      const middle = median(values);
      expect(values.filter((v) => v <= middle).length).toBeGreaterThanOrEqual(values.length / 2);
      expect(values.filter((v) => v >= middle).length).toBeGreaterThanOrEqual(values.length / 2);
    }),
  );
  expect(spread([7])).toBe(0);
});
