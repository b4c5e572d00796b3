import { expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { boundHasConverged } from "../../src/train/boundConvergence.ts";

/** A history whose bound is `curve(t)` for t from 0 to 1, with noise. */
const history = (records: number, curve: (t: number) => number, noise = 0) => {
  const normal = new Random(0).normal(new Float64Array(records));
  return Array.from(normal, (z, i) => ({
    ...{ step: 100 * (i + 1), annealing: 1, learningRate: 1e-3 },
    elbo: curve(i / records) + noise * z,
  }));
};

test("a bound that levels off has converged, and one that rises has not", () => {
  expect(boundHasConverged(history(20, (t) => -10 * Math.exp(-20 * t)))).toBe(true);
  expect(boundHasConverged(history(20, (t) => t))).toBe(false);
});

test("noise hides a small rise, but not a large one", () => {
  expect(boundHasConverged(history(40, (t) => 0.1 * t, 1))).toBe(true);
  expect(boundHasConverged(history(40, (t) => 20 * t, 1))).toBe(false);
});

test("a last record of fewer steps, whose mean is less precise, does not count", () => {
  const complete = history(15, (t) => t);
  const partial = { step: 1501, elbo: -50, annealing: 1, learningRate: 1e-3 };
  expect(boundHasConverged([...complete, partial])).toBe(false);
  expect(boundHasConverged([...complete.slice(0, 14), { ...partial, step: 1401 }])).toBeUndefined();
});

test("few steps cannot tell", () => {
  expect(boundHasConverged(history(14, (t) => t))).toBeUndefined();
});
