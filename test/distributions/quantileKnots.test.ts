import { expect, test } from "vitest";
import { quantileKnots } from "../../src/distributions/heads/quantileKnots.ts";
import { Random } from "../../src/random/index.ts";

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
