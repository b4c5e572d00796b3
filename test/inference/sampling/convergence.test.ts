import { describe, expect, test } from "vitest";
import {
  bulkEffectiveSampleSize,
  type Chains,
  meanEffectiveSampleSize,
  rHat,
  tailEffectiveSampleSize,
} from "../../../src/inference/sampling/convergence.ts";
import { normalQuantile } from "../../../src/inference/sampling/normalQuantile.ts";
import { mean } from "../../../src/numerics/mean.ts";
import { Random } from "../../../src/random/index.ts";

const LENGTH = 2000;
const CHAINS = 4;
const noise = (seed: number): Float64Array[] =>
  Array.from({ length: CHAINS }, (_, c) => new Random(seed).split(c).normal(new Float64Array(LENGTH)));

/** Autoregressive chains of order 1 with a standard normal stationary distribution. */
function autoregressive(rho: number, seed: number): Float64Array[] {
  return noise(seed).map((innovations) => {
    let x = innovations[0];
    return innovations.map((e, i) => {
      if (i > 0) x = rho * x + Math.sqrt(1 - rho * rho) * e;
      return x;
    });
  });
}

const transformed = (chains: Chains, f: (x: number, chain: number) => number) =>
  chains.map((chain, c) => chain.map((x) => f(x, c)));

describe("independent draws", () => {
  test("have an R-hat near 1, and as many effective draws as there are draws", () => {
    for (let seed = 0; seed < 5; seed++) {
      const chains = noise(seed);
      expect(rHat(chains)).toBeLessThan(1.003);
      for (const effective of [bulkEffectiveSampleSize, meanEffectiveSampleSize])
        expect(Math.abs(effective(chains) / (CHAINS * LENGTH) - 1)).toBeLessThan(0.1);
      expect(Math.abs(tailEffectiveSampleSize(chains) / (CHAINS * LENGTH) - 1)).toBeLessThan(0.15);
    }
  });
});

describe("the effective sample size", () => {
  // The autocorrelation time of an autoregressive chain is (1 + rho) / (1 - rho).
  test.each([-0.4, 0.5, 0.8, 0.95])(
    "of an autoregressive chain is n (1 - rho) / (1 + rho), for rho = %s",
    (rho) => {
      const relative = Array.from({ length: 10 }, (_, seed) => {
        const effective = meanEffectiveSampleSize(autoregressive(rho, seed));
        return (effective * (1 + rho)) / (1 - rho) / (CHAINS * LENGTH);
      });
      expect(Math.abs(mean(relative) - 1)).toBeLessThan(0.063);
    },
  );

  test("of the bulk does not depend on a monotone map of the draws", () => {
    const chains = autoregressive(0.7, 1);
    const skewed = transformed(chains, (x) => Math.exp(3 * x));
    expect(bulkEffectiveSampleSize(skewed)).toBeCloseTo(bulkEffectiveSampleSize(chains), 6);
    expect(tailEffectiveSampleSize(skewed)).toBeCloseTo(tailEffectiveSampleSize(chains), 6);
    expect(rHat(skewed)).toBeCloseTo(rHat(chains), 2);
  });
});

describe("R-hat", () => {
  test("shows chains in different places", () => {
    expect(rHat(transformed(noise(0), (x, chain) => x + (chain === 0 ? 1 : 0)))).toBeGreaterThan(1.05);
  });

  test("shows chains of different scales, which have the same mean", () => {
    expect(rHat(transformed(noise(0), (x, chain) => x * (chain === 0 ? 4 : 1)))).toBeGreaterThan(1.05);
  });

  test("shows a chain that has not reached its stationary distribution", () => {
    const drifting = noise(0).map((chain) => chain.map((x, i) => x + (3 * i) / LENGTH));
    expect(rHat(drifting)).toBeGreaterThan(1.05);
  });

  test("is NaN for a constant", () => {
    const constant = transformed(noise(0), () => 3);
    expect([rHat(constant), bulkEffectiveSampleSize(constant)]).toEqual([Number.NaN, Number.NaN]);
  });
});

test("the normal quantile agrees with SciPy", () => {
  // scipy.stats.norm.ppf([1e-12, 1e-4, 0.02, 0.3, 0.5, 0.975, 1 - 1e-6])
  const expected = [
    -7.034483825301131, -3.7190164854556804, -2.053748910631823, -0.5244005127080409, 0.0, 1.959963984540054,
    4.753424308817087,
  ];
  [1e-12, 1e-4, 0.02, 0.3, 0.5, 0.975, 1 - 1e-6].forEach((p, i) => {
    expect(Math.abs(normalQuantile(p) - expected[i])).toBeLessThan(1e-8);
  });
});
