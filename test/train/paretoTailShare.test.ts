import { expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { paretoTailShare } from "../../src/train/paretoShape.ts";

/** The share of samples of Pareto weights whose sum differs from its expectation by at most two errors. */
function coverage(shape: number, withTail: boolean): number {
  const [samples, n] = [200, 1000];
  const random = new Random(0).split(Math.round(100 * shape));
  let covered = 0;
  for (let s = 0; s < samples; s++) {
    const weights = random
      .split(s)
      .uniform(new Float64Array(n))
      .map((u) => u ** -shape);
    const mean = weights.reduce((a, b) => a + b) / n;
    const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / (n - 1) / n;
    const share = paretoTailShare(weights.map((w) => Math.log(w / (n * mean))));
    const error = Math.hypot(Math.sqrt(variance) / mean, withTail ? share : 0);
    // The mean of U^-k is 1 / (1 - k).
    if (Math.abs(Math.log(mean * (1 - shape))) < 2 * error) covered++;
  }
  return covered / samples;
}

test.each([0.1, 0.4, 0.6, 0.7])("errors with the tail cover the sum of weights of shape %s", (shape) => {
  expect(coverage(shape, true)).toBeGreaterThan(0.9);
});

test("without the tail, the error of heavy weights is too small", () => {
  expect(coverage(0.8, false)).toBeLessThan(0.8);
});

test("the share is that of the largest weight for equal weights, and at most 1", () => {
  expect(paretoTailShare(new Float64Array(100).fill(-Math.log(100)))).toBeCloseTo(0.01, 12);
  expect(paretoTailShare(Float64Array.of(0, -1000, -1000), 2)).toBe(1);
});
