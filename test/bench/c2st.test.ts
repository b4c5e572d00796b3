import { describe, expect, test } from "vitest";
import { c2st } from "../../bench/sbi/c2st.ts";
import { Random } from "../../src/random/index.ts";

/** 500 draws from N(shift, scale²). */
const draws = (seed: number, shift: number, scale = 1): Float64Array =>
  new Random(seed).normal(new Float64Array(500)).map((z) => shift + scale * z);

// The standard error of an accuracy is sqrt(p (1 - p) / 1000), at most 0.016.
describe("the classifier two-sample test", () => {
  test("is at chance for draws from the same distribution", async () => {
    expect(Math.abs((await c2st(draws(0, 3, 2), draws(1, 3, 2), 1)) - 0.5)).toBeLessThan(0.06);
  });

  test("has about the accuracy of the best classifier", async () => {
    // The normal distribution function at half the distance of two unit normal distributions, 1: 0.841.
    expect(Math.abs((await c2st(draws(0, 0), draws(1, 2), 1)) - 0.841)).toBeLessThan(0.05);
  });
});
