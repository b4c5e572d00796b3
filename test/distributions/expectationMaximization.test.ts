import { describe, expect, test } from "vitest";
import type { DataRows } from "../../src/bijections/index.ts";
import type { Limits } from "../../src/check/limits.ts";
import { evaluateMixture } from "../../src/distributions/expectationMaximization.ts";
import {
  type FitGaussianMixtureResult,
  fitGaussianMixture,
  GaussianMixture,
} from "../../src/distributions/index.ts";
import { Random } from "../../src/random/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { logProb } from "./evaluate.ts";

const asRows = (values: Float64Array, features: number, weights?: Float64Array): DataRows => ({
  rows: values.length / features,
  features,
  values,
  ...(weights && { weights }),
});

/** The mixture that `samples` draws from. */
const TRUE = {
  weights: [0.5, 0.3, 0.2],
  means: [
    [-2, 0],
    [2, 1],
    [0, -3],
  ],
  // x = m + L e
  factors: [
    [0.6, 0, 0.3, 0.4],
    [0.3, 0, -0.2, 0.8],
    [0.5, 0, 0, 0.5],
  ],
};

function samples(n: number): DataRows {
  const u = new Random(1).uniform(new Float64Array(n));
  const e = new Random(2).normal(new Float64Array(2 * n));
  const values = new Float64Array(2 * n);
  for (let r = 0; r < n; r++) {
    const k = u[r] < 0.5 ? 0 : u[r] < 0.8 ? 1 : 2;
    const [a, , b, c] = TRUE.factors[k];
    values[2 * r] = TRUE.means[k][0] + a * e[2 * r];
    values[2 * r + 1] = TRUE.means[k][1] + b * e[2 * r] + c * e[2 * r + 1];
  }
  return asRows(values, 2);
}

/** S_k from its precision factor A_k [2, 2]: S = (A A^T)^-1. */
function covariance({ precisionFactors }: FitGaussianMixtureResult, k: number): number[] {
  const [a, , b, c] = precisionFactors.subarray(4 * k, 4 * k + 4);
  const determinant = (a * c) ** 2;
  return [(b * b + c * c) / determinant, (-a * b) / determinant, (a * a) / determinant];
}

/** One iteration of expectation maximization by its formulas, computed with plain loops: weights and means. */
function textbookIteration(
  fit: FitGaussianMixtureResult,
  { rows, values }: DataRows,
): Pick<FitGaussianMixtureResult, "weights" | "means"> {
  const K = fit.weights.length;
  const density = (k: number, x: number, y: number) => {
    const [u, v] = [x - fit.means[2 * k], y - fit.means[2 * k + 1]];
    const [a, , b, c] = fit.precisionFactors.subarray(4 * k, 4 * k + 4);
    return (fit.weights[k] * a * c * Math.exp(-0.5 * ((a * u + b * v) ** 2 + (c * v) ** 2))) / (2 * Math.PI);
  };
  const totals = new Float64Array(K);
  const sums = new Float64Array(2 * K);
  for (let r = 0; r < rows; r++) {
    const [x, y] = values.subarray(2 * r, 2 * r + 2);
    const densities = Array.from({ length: K }, (_, k) => density(k, x, y));
    const all = densities.reduce((sum, p) => sum + p);
    densities.forEach((p, k) => {
      totals[k] += p / all;
      sums[2 * k] += (p / all) * x;
      sums[2 * k + 1] += (p / all) * y;
    });
  }
  return { weights: totals.map((t) => t / rows), means: sums.map((s, i) => s / totals[i >> 1]) };
}

const data = samples(6000);

describe("fitGaussianMixture", () => {
  test("recovers a mixture", async () => {
    const fit = await fitGaussianMixture(data, 3, { tolerance: 1e-9, iterations: 300 });
    TRUE.means.forEach((mean, i) => {
      const distance = (k: number) => Math.hypot(fit.means[2 * k] - mean[0], fit.means[2 * k + 1] - mean[1]);
      const k = [0, 1, 2].reduce((best, candidate) =>
        distance(candidate) < distance(best) ? candidate : best,
      );
      expect(distance(k)).toBeLessThan(0.06);
      expect(Math.abs(fit.weights[k] - TRUE.weights[i])).toBeLessThan(0.03);
      const [a, , b, c] = TRUE.factors[i];
      const expected = [a * a, a * b, b * b + c * c];
      covariance(fit, k).forEach((s, j) => {
        expect(Math.abs(s - expected[j])).toBeLessThan(0.06);
      });
    });
  });

  test.each([
    [0, 1e-12],
    [1e-4, 1e-6],
  ])("increases the likelihood in every iteration, with a ridge of %d", async (ridge, slack) => {
    const few = asRows(data.values.subarray(0, 1200), 2);
    for (const components of [2, 3, 6]) {
      const reached: number[] = [];
      for (let iterations = 1; iterations <= 25; iterations++) {
        const options = { ridge, iterations, tolerance: 0 };
        reached.push((await fitGaussianMixture(few, components, options)).logLikelihood);
      }
      for (let i = 1; i < reached.length; i++) expect(reached[i]).toBeGreaterThan(reached[i - 1] - slack);
      // The initialization does not find six clusters of three.
      if (components === 6) expect(reached.at(-1)! - reached[0]).toBeGreaterThan(1e-3);
    }
  });

  test("returns the likelihood of the distribution with the fitted parameters", async () => {
    const fit = await fitGaussianMixture(data, 4);
    const mixture = new GaussianMixture({ features: 2, components: 4 }, new Random(0));
    mixture.assign(fit);
    const values = await logProb(mixture, data.values);
    const mean = values.reduce((sum, v) => sum + v, 0) / data.rows;
    expect(Math.abs(mean - fit.logLikelihood)).toBeLessThan(1e-6);
    expect(evaluateMixture(fit, data).meanLogDensity).toBeCloseTo(fit.logLikelihood, 12);
  });

  test("fits one component to the mean and covariance of the rows", async () => {
    const fit = await fitGaussianMixture(data, 1, { ridge: 0 });
    const mean = [0, 1].map((i) => {
      let sum = 0;
      for (let r = 0; r < data.rows; r++) sum += data.values[2 * r + i];
      return sum / data.rows;
    });
    expectClose(fit.means, mean, 1e-12, "mean");
    const moment = (i: number, j: number) => {
      let sum = 0;
      for (let r = 0; r < data.rows; r++) {
        sum += (data.values[2 * r + i] - mean[i]) * (data.values[2 * r + j] - mean[j]);
      }
      return sum / data.rows;
    };
    expectClose(covariance(fit, 0), [moment(0, 0), moment(0, 1), moment(1, 1)], 1e-10, "covariance");
  });

  test("counts a row of weight 2 as two rows, and ignores the scale of weights", async () => {
    const rows = 300;
    const values = data.values.slice(0, 2 * rows);
    const weights = Float64Array.from({ length: rows }, (_, r) => r % 4);
    const repeated = Float64Array.from(
      Array.from({ length: rows }, (_, r) => r).flatMap((r) =>
        Array.from({ length: weights[r] }, () => [values[2 * r], values[2 * r + 1]]).flat(),
      ),
    );
    const weighted = await fitGaussianMixture(asRows(values, 2, weights), 3);
    for (const other of [
      await fitGaussianMixture(asRows(repeated, 2), 3),
      await fitGaussianMixture(
        asRows(
          values,
          2,
          weights.map((w) => 1e-15 * w),
        ),
        3,
      ),
    ]) {
      expectClose(other.weights, weighted.weights, 1e-9, "weights");
      expectClose(other.means, weighted.means, 1e-9, "means");
      expectClose(other.precisionFactors, weighted.precisionFactors, 1e-7, "precisions");
      expect(other.logLikelihood).toBeCloseTo(weighted.logLikelihood, 9);
    }
  });

  test.each([
    ["more components than rows", asRows(Float64Array.of(0, 0, 1, 1, 2, -1), 2), 5],
    ["one row many times", asRows(new Float64Array(40).fill(3), 2), 3],
    [
      "two rows many times",
      asRows(
        Float64Array.from({ length: 80 }, (_, i) => (i % 4 < 2 ? 5 : -5)),
        2,
      ),
      4,
    ],
    [
      "a constant feature",
      asRows(
        data.values.slice(0, 400).map((v, i) => (i % 2 ? 7 : v)),
        2,
      ),
      3,
    ],
    ["a row far out", asRows(Float64Array.from([...data.values.subarray(0, 400), 1e15, -1e15]), 2), 3],
  ])("accepts %s", async (_, rows, components) => {
    const fit = await fitGaussianMixture(rows, components);
    expect(fit.weights.length).toBe(components);
    expect(fit.weights.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    for (const values of [fit.weights, fit.means, fit.precisionFactors, [fit.logLikelihood]]) {
      expect(Array.from(values).every(Number.isFinite)).toBe(true);
    }
    const mixture = new GaussianMixture({ features: 2, components }, new Random(0));
    mixture.assign(fit);
    const values = await logProb(mixture, rows.values, "float32");
    expect([...values].every(Number.isFinite)).toBe(true);
  });

  test("equals iterations over all components and rows", async () => {
    // In textbook iterations each component has a responsibility in each row, if only of 1e-300.
    const [rows, components] = [400, 12];
    const few = asRows(data.values.slice(0, 2 * rows), 2);
    const options = { tolerance: 1e-12, iterations: 3000 };
    const fit = await fitGaussianMixture(few, components, options);
    const again = textbookIteration(fit, few);
    expectClose(again.weights, fit.weights, 1e-6, "weights");
    expectClose(again.means, fit.means, 1e-5, "means");
  });

  test("is determined by the seed", async () => {
    const seeded = async (seed: number) => [...(await fitGaussianMixture(data, 6, { seed })).means];
    expect(await seeded(1)).toEqual(await seeded(1));
    expect(await seeded(1)).not.toEqual(await seeded(2));
  });
});

describe("GaussianMixture.fitToData", () => {
  test.each([1, 2, 3, 8])("accepts %d rows", async (rows) => {
    const mixture = new GaussianMixture({ features: 2, components: 4 }, new Random(0));
    const few = asRows(data.values.slice(0, 2 * rows), 2);
    await mixture.fitToData(few);
    expect([...(await logProb(mixture, few.values))].every(Number.isFinite)).toBe(true);
  });

  test("finds about the true number of components, and their density", async () => {
    const mixture = new GaussianMixture({ features: 2, components: 16 }, new Random(0));
    await mixture.fitToData(data);
    const values = await logProb(mixture, data.values);
    const mean = values.reduce((sum, v) => sum + v, 0) / data.rows;
    const { logLikelihood: best } = await fitGaussianMixture(data, 3, { tolerance: 1e-9, iterations: 300 });
    expect(mean).toBeGreaterThan(best - 0.01);
    expect(mean).toBeLessThan(best + 0.05);
  });

  test("ignores rows of weight 0, also if most rows have this weight", async () => {
    const rows = 20_000;
    const isUsed = (row: number) => row % 7000 === 50;
    const normal = new Random(1).normal(new Float64Array(rows));
    const values = normal.map((z, row) => (isUsed(row) ? 100 + z : z));
    const weights = Float64Array.from(values, (_, row) => Number(isUsed(row)));
    const mixture = new GaussianMixture({ features: 1, components: 4 }, new Random(0));
    await mixture.fitToData(asRows(values, 1, weights));
    const [far, near] = await logProb(mixture, [0, 100]);
    expect(near).toBeGreaterThan(-10);
    expect(far).toBeLessThan(-20);
  });

  test("ends at its deadline or when aborted, with the best mixture so far", async () => {
    const used = async (limits: Limits) => {
      const mixture = new GaussianMixture({ features: 2, components: 16 }, new Random(0));
      await mixture.fitToData(data, undefined, limits);
      const values = await logProb(mixture, data.values);
      expect([...values].every(Number.isFinite)).toBe(true);
      return mixture.logWeights.numbers.filter((w) => w > Math.log(1e-6)).length;
    };
    expect(await used({})).toBeGreaterThan(2);
    expect(await used({ deadline: performance.now() })).toBe(1);
    expect(await used({ signal: AbortSignal.abort() })).toBe(1);
  });

  test("lets the event loop run timers and signals", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await new GaussianMixture({ features: 2, components: 16 }, new Random(0)).fitToData(data);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });
});

test.each([0, -1, 1.5])("%s components are an error", async (components) => {
  await expect(fitGaussianMixture(asRows(Float64Array.of(1, 2), 1), components)).rejects.toThrow(
    `the number of components of a mixture is not valid: expected a positive integer, received ${components}.`,
  );
});

test("fitting a mixture to no rows is an error", async () => {
  await expect(
    fitGaussianMixture(asRows(new Float64Array(0), 2), 2),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: there are no rows to fit a mixture to: expected at least 1 row, received none.
    Give the number of rows in \`rows\`.]
  `);
});

test("a value that is not finite, missing values and weights of 0 are errors", async () => {
  const rows = asRows(Float64Array.of(1, 2, 3, 4), 2);
  const fit = (wrong: Partial<DataRows>) => fitGaussianMixture({ ...rows, ...wrong }, 1);
  const infinite = Float64Array.of(1, 2, 3, Number.POSITIVE_INFINITY);
  await expect(fit({ values: infinite })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: row 1 has a value that is not finite in column 1: expected finite numbers, received Infinity.
    Leave out rows with missing values.]
  `);
  await expect(fit({ values: rows.values.subarray(1) })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the rows of a mixture have a wrong number of values: expected 4, for 2 rows of 2 features, received 3.]`,
  );
  await expect(fit({ weights: new Float64Array(2) })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the total weight of the rows of a mixture is not valid: expected a positive number, received 0.]`,
  );
});
