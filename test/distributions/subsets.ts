import { expect, test } from "vitest";
import { knownFeatures, type SubsetDistribution } from "../../src/distributions/subsetDistribution.ts";
import type { Floats } from "../../src/graph/operation.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { type Compiled, compile } from "../../src/runtime/compile.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, integral, lineRule } from "../mathematics/quadrature.ts";
import { compiledOnce as evaluate } from "./evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  continuous,
  discrete,
  discreteValues,
  lattice,
  mixedRows,
  partsOfDate,
  sumOfProbabilities,
  valuesOfDate,
} from "./mixedColumns.ts";

const { draw, logProb } = evaluate;

/** All subsets of the features 0 ... D - 1. */
export const subsetsOf = (features: number): number[][] =>
  Array.from({ length: 2 ** features }, (_, bits) =>
    Array.from({ length: features }, (_, d) => d).filter((d) => (bits >> d) & 1),
  );

type Functions = Map<string, Compiled<Record<string, Tensor>>>;
const compiled = new WeakMap<SubsetDistribution, Functions>();

/** The compiled function of a distribution with this name. It is compiled once, since it serves all subsets. */
function compiledOnce(
  distribution: SubsetDistribution,
  name: string,
  build: (...inputs: Tensor[]) => Record<string, Tensor>,
  shapes: readonly Shape[],
) {
  const functions: Functions = compiled.get(distribution) ?? new Map();
  compiled.set(distribution, functions);
  const run = functions.get(name) ?? compile(build, shapes, { precision: "float64" });
  functions.set(name, run);
  return run;
}

/** log p(x_known) of each row, [N], and the parameters [N, S] of the conditional distributions of the other features. */
async function givenKnown(
  distribution: SubsetDistribution,
  rows: readonly (readonly number[])[],
  known: readonly number[],
): Promise<Record<"logProb" | "parameters", Floats>> {
  const D = distribution.features;
  const run = compiledOnce(
    distribution,
    "known",
    (x, known, positions) => ({
      logProb: distribution.logProbKnown(x, { known, positions }),
      parameters: distribution.conditionalParameters(x, { known, positions }),
    }),
    [["N", D], [D], [D]],
  );
  const subset = knownFeatures(D, known);
  const { logProb, parameters } = await run(rows.flat(), subset.known, subset.positions);
  return { logProb, parameters };
}

/** log p(x_known) of each row. */
export const logProbKnown = async (...call: Parameters<typeof givenKnown>): Promise<number[]> =>
  Array.from((await givenKnown(...call)).logProb);

/** log p(x_d | x_known) of the value of an unknown feature in each row, and the log-probability that it is present. */
export async function conditionalOf(
  distribution: SubsetDistribution,
  d: number,
  rows: readonly (readonly number[])[],
  known: readonly number[],
): Promise<Record<"logProb" | "logPresent", Floats>> {
  const { parameters } = await givenKnown(distribution, rows, known);
  const values = rows.map((row) => row[d]);
  return conditionalGiven(distribution, d, values, parameters);
}

/** As `conditionalOf`, given the parameters [N, S], or those of a single row, [S]. */
async function conditionalGiven(
  distribution: SubsetDistribution,
  d: number,
  values: readonly number[],
  parameters: Floats,
): Promise<Record<"logProb" | "logPresent", Floats>> {
  const S = distribution.conditionalSize;
  const isShared = parameters.length === S;
  const run = compiledOnce(
    distribution,
    `density of ${d}, ${isShared}`,
    (x, parameters) => ({
      logProb: distribution.logProbOf(d, x, parameters),
      logPresent: distribution.logPresentOf(d, parameters),
    }),
    [["N"], [isShared ? 1 : "N", S]],
  );
  const { logProb, logPresent } = await run(values, parameters);
  return { logProb, logPresent };
}

/** `count` copies of a row with a draw of each unknown feature, [count, D]. The draws of different features are not joint. */
export async function drawEach(
  distribution: SubsetDistribution,
  row: readonly number[],
  known: readonly number[],
  count: number,
  { present = false } = {},
): Promise<Float64Array> {
  const D = distribution.features;
  const random = new Random(5);
  const noise = distribution.noise.map(({ kind }, i) => random.split(i)[kind](new Float64Array(count)));
  const { parameters } = await givenKnown(distribution, [row], known);
  const rows = Float64Array.from({ length: count * D }, (_, i) => row[i % D]);
  // One function for all features, since each function takes long to compile.
  const run = compiledOnce(
    distribution,
    `draw, ${present}`,
    (parameters, ...noise) => {
      const ofAll = distribution.sampleEach?.(noise, parameters, { present });
      const draws = Array.from({ length: D }, (_, d) => {
        const drawn = distribution.sampleOf(d, noise, parameters, { present });
        return [
          [`drawn${d}`, drawn],
          [`sameDrawn${d}`, ofAll?.slice(1, d, d + 1).reshape(["N"]) ?? drawn],
        ] as const;
      });
      return Object.fromEntries(draws.flat());
    },
    [[1, distribution.conditionalSize], ...noise.map(() => ["N", 1] as const)],
  );
  const draws = await run(parameters, ...noise);
  for (const d of row.keys()) {
    if (known.includes(d)) continue;
    expect(draws[`sameDrawn${d}`]).toEqual(draws[`drawn${d}`]);
    draws[`drawn${d}`].forEach((value, n) => {
      rows[n * D + d] = value;
    });
  }
  return rows;
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

/**
 * For rows of parameters and for a single one, the density of each unknown feature is p(x_known, x_d) / p(x_known), also at missing values,
 * and the probability that it is present is 1 - p(missing).
 */
export async function expectConditionalDensities(
  distribution: SubsetDistribution,
  rows: readonly (readonly number[])[],
  subsets = subsetsOf(distribution.features),
): Promise<void> {
  const S = distribution.conditionalSize;
  for (const known of subsets) {
    const { logProb: marginal, parameters } = await givenKnown(distribution, rows, known);
    for (let d = 0; d < distribution.features; d++) {
      if (known.includes(d)) continue;
      const values = rows.map((row) => row[d]);
      const joint = await logProbKnown(distribution, rows, [...known, d]);
      const { logProb, logPresent } = await conditionalGiven(distribution, d, values, parameters);
      for (const [n, value] of values.entries()) {
        expect(logProb[n]).toBeCloseTo(joint[n] - marginal[n], 9);
        if (Number.isNaN(value)) expect(Math.exp(logPresent[n])).toBeCloseTo(1 - Math.exp(logProb[n]), 12);
      }
      const first = parameters.slice(0, S);
      const copies = Float64Array.from({ length: rows.length * S }, (_, i) => first[i % S]);
      const expected = await conditionalGiven(distribution, d, values, copies);
      const shared = await conditionalGiven(distribution, d, values, first);
      for (const [n, value] of shared.logProb.entries()) expect(value).toBeCloseTo(expected.logProb[n], 9);
      expect(shared.logPresent).toHaveLength(1);
      expect(shared.logPresent[0]).toBeCloseTo(expected.logPresent[0], 9);
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

/** The density of a table of the columns `categorical` and `atoms` integrates and sums to 1. */
export async function expectUnitMass(distribution: SubsetDistribution): Promise<void> {
  const step = 1e-3;
  const grid = Array.from({ length: 24_001 }, (_, i) => -12 + i * step + 1e-7);
  const density = await logProb(distribution, combinations([discreteValues[0], grid.map(Math.sinh)]).flat());
  const weighted = density.map((value, i) => value + Math.log(step * Math.cosh(grid[i % grid.length])));
  const single = await logProb(distribution, combinations([discreteValues[0], [0.5, Number.NaN]]).flat());
  expect(sumOfProbabilities(weighted) + sumOfProbabilities(single)).toBeCloseTo(1, 6);
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

type Build = (columns: ColumnHeadOptions[]) => SubsetDistribution;

/** `build`, which builds a distribution of the same columns once, so that tests share its compiled functions. */
function buildOnce(build: Build): Build {
  const built = new Map<ColumnHeadOptions[], SubsetDistribution>();
  return (columns) => {
    const model = built.get(columns) ?? build(columns);
    built.set(columns, model);
    return model;
  };
}

/**
 * Tests that two columns that share a gap are missing together, in probabilities, in draws and in conditional distributions, and that all of
 * them agree.
 */
export function testSharedGaps(buildNew: Build): void {
  const build = buildOnce(buildNew);
  const [first, second] = [1, 2];
  const isPossible = (row: readonly number[]) => Number.isNaN(row[first]) === Number.isNaN(row[second]);
  // The second column is known only together with the first.
  const subsets = subsetsOf(4).filter((known) => known.includes(first) || !known.includes(second));

  test("columns that share a gap are missing together, and the probabilities of rows sum to 1", async () => {
    const rows = combinations(valuesOfDate);
    const logProbs = await logProb(build(partsOfDate), rows.flat());
    expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 12);
    rows.forEach((row, n) => {
      expect(logProbs[n] > Number.NEGATIVE_INFINITY).toBe(isPossible(row));
    });
  });

  test("rows with shared gaps are drawn with their probabilities", async () => {
    const model = build(partsOfDate);
    await expectDraws(model, valuesOfDate);
    const drawn = await draw(model, 20_000);
    const missing = drawn.filter((value, i) => i % 4 === first && Number.isNaN(value));
    expect(missing.length).toBeGreaterThan(500);
  });

  test("each unknown column is drawn from its conditional distribution given the column whose gap it shares", async () => {
    const model = build(partsOfDate);
    const rows = combinations(valuesOfDate).filter(isPossible);
    await expectConditionalDensities(model, rows, subsets);
    for (const known of [[first], [0, first, 3]])
      await expectConditionalDraws(model, [1, 3, 0, 1], known, valuesOfDate);
    const drawn = await drawEach(model, [1, Number.NaN, 0, 1], [first, 3], 100);
    expect(columnOf(drawn, 4, second).every(Number.isNaN)).toBe(true);
  });
}

/** Tests that draws, marginal and conditional distributions of any subset of columns agree with the probabilities of rows. */
export function testSubsets(buildNew: Build): void {
  const build = buildOnce(buildNew);

  test("every subset of columns has its exact marginal distribution", async () => {
    await expectConsistentSubsets(build(discrete), discreteValues);
  });

  test("has the exact conditional density of each unknown column", async () => {
    await expectConditionalDensities(build(discrete), combinations(discreteValues));
    await expectConditionalDensities(build([continuous, atoms, lattice]), mixedRows);
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

  testSharedGaps(build);
}
