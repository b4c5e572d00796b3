import { expect } from "vitest";
import type { Flow } from "../../src/flows/index.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, integral, type Rule, square } from "../mathematics/quadrature.ts";

const SAMPLES = 10_000;
const options = { precision: "float64" } as const;

/**
 * Checks that the density of one or two features integrates to 1 by the rule up to `tolerance`, that samples have the log-density that is
 * returned with them up to `toleranceOfSamples`, and that they pass a Kolmogorov-Smirnov test against each marginal.
 */
export async function expectDensity(
  flow: Flow,
  rule: Rule,
  tolerance: number,
  context?: number[],
  toleranceOfSamples = 1e-7,
): Promise<void> {
  const grid = flow.features === 1 ? { rows: rule.nodes, weights: rule.weights } : square(rule);
  const logProb = await flow.logProb(grid.rows, context, options);
  expect(Math.abs(integral(logProb, grid.weights) - 1)).toBeLessThan(tolerance);

  const { samples, logProb: own } = await flow.sampleAndLogProb(SAMPLES, { ...options, context, seed: 3 });
  const again = await flow.logProb(samples, context, options);
  // One expectation: 10,000 of them take a second.
  const largestDifference = own.reduce((max, value, r) => Math.max(max, Math.abs(value - again[r])), 0);
  expect(largestDifference).toBeLessThan(toleranceOfSamples);

  const joint = logProb.map(Math.exp);
  const size = rule.nodes.length;
  for (let column = 0; column < flow.features; column++) {
    const marginal =
      flow.features === 1
        ? joint
        : Float64Array.from({ length: size }, (_, i) =>
            rule.weights.reduce(
              (sum, w, j) => sum + w * joint[column === 0 ? i * size + j : j * size + i],
              0,
            ),
          );
    const p = kolmogorovSmirnov(columnOf(samples, flow.features, column), cumulative(rule, marginal));
    expect(p).toBeGreaterThan(1e-3);
  }
}
