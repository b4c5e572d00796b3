import fc from "fast-check";
import { expect, it } from "vitest";
import { columnSummary } from "../../src/tables/notes/index.ts";

const summaryOf = (...columns: number[][]) => {
  const rows = columns[0]!.length;
  const values = Float64Array.from({ length: rows * columns.length }, (_, i) => {
    return columns[i % columns.length]![Math.floor(i / columns.length)]!;
  });
  return columnSummary({ columns: columns.map((_, d) => `c${d}`), rows, values });
};

it("counts repeated values and finds the smallest difference", () => {
  expect(summaryOf([3, 1, 3, 2.5, 3, -0], [7, 7, 7, 7, 7, 7])).toEqual([
    {
      name: "c0",
      distinct: 4,
      minimumGap: 0.5,
      modeShare: 0.5,
      min: -0,
      max: 3,
      mean: 12.5 / 6,
      std: expect.closeTo(1.1696, 4),
    },
    { name: "c1", distinct: 1, minimumGap: Infinity, modeShare: 1, min: 7, max: 7, mean: 7, std: 0 },
  ]);
});

// statistics.pstdev([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) == 4.743416490252569 (Python 3.11)
it("loses no digits to a large mean, and does not overflow", () => {
  const [shifted, huge] = summaryOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], [-1e308, 1e308, 1e308, -1e308]);
  expect(shifted).toMatchObject({ mean: 1e9 + 10 });
  expect(shifted!.std).toBeCloseTo(4.743416490252569, 7);
  expect(huge).toMatchObject({ mean: 0, std: 1e308 });
  const [largest] = summaryOf([-Number.MAX_VALUE, Number.MAX_VALUE]);
  expect(largest).toMatchObject({ mean: 0, std: Number.MAX_VALUE });
});

it("does not add up rounding errors over many rows", () => {
  const [summary] = summaryOf(new Array(100_000).fill(0.1));
  expect(summary!.mean).toBeCloseTo(0.1, 16);
  expect(summary!.std).toBeLessThan(1e-16);
});

it("the mean and the standard deviation of a x + b follow from those of x", () => {
  const numbers = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 50 });
  fc.assert(
    fc.property(numbers, fc.double({ min: 0.1, max: 10, noNaN: true }), (x, scale) => {
      const [original, mapped] = summaryOf(
        x,
        x.map((value) => scale * value + 5),
      );
      expect(mapped!.mean).toBeCloseTo(scale * original!.mean + 5, 9);
      expect(mapped!.std).toBeCloseTo(scale * original!.std, 9);
    }),
  );
});
