import { expect, test } from "vitest";
import type { ColumnHeadOptions } from "../../src/distributions/heads/columnHead.ts";
import { knownFeatures, type SubsetDistribution } from "../../src/distributions/subsetDistribution.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { type Compiled, compile } from "../../src/runtime/compile.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, integral, lineRule } from "../mathematics/quadrature.ts";
import { draw, logProb } from "./evaluate.ts";
import {
  categorical,
  combinations,
  continuous,
  discrete,
  discreteValues,
  sumOfProbabilities,
} from "./mixedColumns.ts";

/** All subsets of the features 0 ... D - 1. */
export const subsetsOf = (features: number): number[][] =>
  Array.from({ length: 2 ** features }, (_, bits) =>
    Array.from({ length: features }, (_, d) => d).filter((d) => (bits >> d) & 1),
  );

const compiled = new WeakMap<SubsetDistribution, Compiled<Tensor>>();

/** log p(x_known) of each row, by one graph for all subsets. */
export async function logProbKnown(
  distribution: SubsetDistribution,
  rows: readonly (readonly number[])[],
  known: readonly number[],
): Promise<number[]> {
  const D = distribution.features;
  let run = compiled.get(distribution);
  if (!run) {
    run = compile(
      (x, known, positions) => distribution.logProbKnown(x, { known, positions }),
      [["N", D], [D], [D]],
      { precision: "float64" },
    );
    compiled.set(distribution, run);
  }
  const subset = knownFeatures(D, known);
  return Array.from(await run(Float64Array.from(rows.flat()), subset.known, subset.positions));
}

/** Draws of `sampleEach` for `count` copies of a row, [count, D]. */
export async function drawEach(
  distribution: SubsetDistribution,
  row: readonly number[],
  known: readonly number[],
  count: number,
  { present = false } = {},
) {
  const D = distribution.features;
  const random = new Random(5);
  const noise = distribution.noise.map(({ kind, size }, i) =>
    random.split(i)[kind](new Float64Array(count * size)),
  );
  const run = compile(
    (x, known, positions, ...noise) => distribution.sampleEach(noise, x, { known, positions }, { present }),
    [["N", D], [D], [D], ...distribution.noise.map(({ size }) => ["N", size] as const)],
    { precision: "float64" },
  );
  const subset = knownFeatures(D, known);
  const rows = Float64Array.from({ length: count * D }, (_, i) => row[i % D]);
  return run(rows, subset.known, subset.positions, ...noise);
}

/**
 * Draws each unknown feature of rows with `known` features, and compares the frequencies of its `values` with the conditional
 * probabilities p(x_known, x_d = v) / p(x_known), where `logJoint` returns the logarithm of the numerator for each row.
 */
export async function expectConditionalDraws(
  distribution: SubsetDistribution,
  row: readonly number[],
  known: readonly number[],
  values: readonly (readonly number[])[],
  logJoint = (rows: number[][], known: readonly number[], d: number): Promise<number[]> =>
    logProbKnown(distribution, rows, [...known, d]),
): Promise<void> {
  const D = distribution.features;
  const count = 20_000;
  for (const present of [false, true]) {
    const drawn = await drawEach(distribution, row, known, count, { present });
    for (let d = 0; d < D; d++) {
      const column = Array.from({ length: count }, (_, n) => drawn[n * D + d]);
      if (known.includes(d)) {
        expect(column.every((value) => Object.is(value, row[d]))).toBe(true);
        continue;
      }
      const possible = values[d].filter((value) => !present || !Number.isNaN(value));
      const rows = possible.map((value) => row.map((other, i) => (i === d ? value : other)));
      const joint = (await logJoint(rows, known, d)).map(Math.exp);
      const total = joint.reduce((a, b) => a + b);
      let drawnPossible = 0;
      possible.forEach((value, i) => {
        const p = joint[i] / total;
        const frequency = column.filter((other) => Object.is(other, value)).length / count;
        drawnPossible += frequency;
        expect(Math.abs(frequency - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / count) + 1e-12);
      });
      expect(drawnPossible).toBeCloseTo(1, 12);
    }
  }
}

/** The density of each subset of columns is the sum of the density of rows over all `values` of the other columns. */
export async function expectConsistentSubsets(
  distribution: SubsetDistribution,
  values: readonly (readonly number[])[],
): Promise<void> {
  const rows = combinations(values);
  const joint = await logProb(distribution, rows.flat());
  expect(sumOfProbabilities(joint)).toBeCloseTo(1, 10);
  for (const known of subsetsOf(distribution.features)) {
    const key = (row: readonly number[]) => known.map((d) => row[d]).join();
    const sums = new Map<string, number>();
    rows.forEach((row, n) => {
      sums.set(key(row), (sums.get(key(row)) ?? 0) + Math.exp(joint[n]));
    });
    const marginal = await logProbKnown(
      distribution,
      rows.map((row) => row.map((value, d) => (known.includes(d) ? value : Number.NaN))),
      known,
    );
    rows.forEach((row, n) => {
      expect(Math.exp(marginal[n])).toBeCloseTo(sums.get(key(row))!, 10);
    });
  }
}

/** The frequencies of rows that `sample` draws are those of the density, for rows over all `values`. */
export async function expectDraws(
  distribution: SubsetDistribution,
  values: readonly (readonly number[])[],
): Promise<void> {
  const D = distribution.features;
  const count = 20_000;
  const drawn = await draw(distribution, count);
  const counts = new Map<string, number>();
  for (let n = 0; n < count; n++) {
    const key = drawn.subarray(D * n, D * n + D).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = combinations(values);
  const probabilities = (await logProb(distribution, rows.flat())).map(Math.exp);
  rows.forEach((row, i) => {
    const frequency = (counts.get(row.join()) ?? 0) / count;
    const p = probabilities[i];
    expect(Math.abs(frequency - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / count) + 1e-12);
  });
}

/** A continuous feature d is drawn from p(x_d | x_known), whose distribution function is computed by quadrature. */
export async function expectContinuousDraws(
  distribution: SubsetDistribution,
  row: readonly number[],
  known: readonly number[],
  d: number,
): Promise<void> {
  const rule = lineRule(16_001, 1e6);
  const rows = Array.from(rule.nodes, (value) => row.map((other, i) => (i === d ? value : other)));
  const logDensity = await logProbKnown(distribution, rows, [...known, d]);
  const [marginal] = await logProbKnown(distribution, [[...row]], known);
  expect(integral(logDensity, rule.weights) / Math.exp(marginal)).toBeCloseTo(1, 6);
  const probability = cumulative(rule, logDensity.map(Math.exp));
  const drawn = await drawEach(distribution, row, known, 20_000);
  expect(kolmogorovSmirnov(columnOf(drawn, distribution.features, d), probability)).toBeGreaterThan(1e-3);
}

/** Tests that draws, marginal and conditional distributions of any subset of columns agree with the probabilities of rows. */
export function testSubsets(build: (columns: ColumnHeadOptions[]) => SubsetDistribution): void {
  test("every subset of columns has its exact marginal distribution", async () => {
    await expectConsistentSubsets(build(discrete), discreteValues);
  });

  test("each unknown column is drawn from its exact conditional distribution", async () => {
    for (const known of [[], [2], [1, 2], [0]])
      await expectConditionalDraws(build(discrete), [1, Number.NaN, 4], known, discreteValues);
  });

  test("draws rows that follow its probabilities", async () => {
    await expectDraws(build(discrete), discreteValues);
  });

  test("a number is drawn from its exact conditional distribution", async () => {
    const model = build([continuous, categorical, continuous]);
    await expectContinuousDraws(model, [0.4, 2, 0], [0, 1], 2);
    await expectContinuousDraws(model, [0, 1, 0], [], 0);
  });
}
