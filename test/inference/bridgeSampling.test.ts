import { expect, test } from "vitest";
import { bridgeSampling } from "../../src/inference/bridgeSampling.ts";
import { Random } from "../../src/random/index.ts";

/** log p~ - log q for p~ = exp(2) N(0, 1) and q = N(0, sigma^2). */
const logRatio = (sigma: number) => (x: number) => 2 - 0.5 * x * x + Math.log(sigma) + 0.5 * (x / sigma) ** 2;

test.each([0.3, 1, 2])("the evidence is within its standard error for a proposal of scale %s", (sigma) => {
  const n = 2000;
  const errors = Array.from({ length: 50 }, (_, seed) => {
    const random = new Random(seed);
    const ofDensity = random.split("p").normal(new Float64Array(n)).map(logRatio(sigma));
    const ofFlow = random
      .split("q")
      .normal(new Float64Array(n))
      .map((z) => logRatio(sigma)(sigma * z));
    const { logEvidence, standardError } = bridgeSampling(ofDensity, ofFlow, n);
    return { error: logEvidence - 2, standardError };
  });
  const rms = Math.sqrt(errors.reduce((sum, { error }) => sum + error ** 2, 0) / errors.length);
  const expected = errors.reduce((sum, { standardError }) => sum + standardError, 0) / errors.length;
  if (sigma === 1) {
    expect(rms).toBeLessThan(1e-12);
    return;
  }
  expect(rms / expected).toBeGreaterThan(0.7);
  expect(rms / expected).toBeLessThan(1.4);
});

test("draws of the flow where the density is 0 do not matter, however many there are", () => {
  // The density is 2.5 times that of the flow on 40% of the draws of the flow, and 0 on the others.
  const ofFlow = Float64Array.from({ length: 1000 }, (_, i) => (i < 600 ? -Infinity : Math.log(2.5)));
  const { logEvidence, standardError } = bridgeSampling(
    new Float64Array(1000).fill(Math.log(2.5)),
    ofFlow,
    500,
  );
  expect(logEvidence).toBeCloseTo(0, 9);
  expect(standardError).toBeGreaterThan(0);
});
