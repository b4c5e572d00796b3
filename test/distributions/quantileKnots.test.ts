import { expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { quantileKnots } from "../../src/tables/densities/heads/quantileKnots.ts";

test("knots of quantiles follow the units of a column", () => {
  const values = new Random(2).normal(new Float64Array(3000)).sort();
  const knots = quantileKnots(values);
  for (const unit of [1e-12, 1e12]) {
    const scaled = quantileKnots(values.map((value) => unit * value));
    expect(scaled.z).toEqual(knots.z);
    scaled.x.forEach((x, i) => {
      expect(x / unit).toBeCloseTo(knots.x[i], 10);
      expect(scaled.slope[i] * unit).toBeCloseTo(knots.slope[i], 8);
    });
  }
});

test.each([
  // Up to two more knots lie in each tail.
  [100, 8, 8],
  [320, 20, 22],
  [5000, 32, 36],
])("%d rows have from %d to %d knots", (rows, least, most) => {
  const { length } = quantileKnots(new Random(3).normal(new Float64Array(rows)).sort()).x;
  expect(length).toBeGreaterThanOrEqual(least);
  expect(length).toBeLessThanOrEqual(most);
});

test("a knot of a lattice lies in the cell that has the level", () => {
  // Two cells of width 1 around 0 and 10, each with half of the rows: the levels 1/3 and 2/3 are two thirds and one third into them.
  const { x } = quantileKnots([0, 10], { width: 1, quantiles: 2 });
  expect(x[0]).toBeCloseTo(-0.5 + 2 / 3, 12);
  expect(x[1]).toBeCloseTo(9.5 + 1 / 3, 12);
});
