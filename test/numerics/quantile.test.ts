import { expect, test } from "vitest";
import { quantile } from "../../src/numerics/quantile.ts";

test("quantiles are interpolated", () => {
  expect([0, 0.25, 0.5, 0.9, 1].map((p) => quantile([1, 2, 4], p))).toEqual([1, 1.5, 2, 3.6, 4]);
});
