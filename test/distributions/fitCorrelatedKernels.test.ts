import { describe, expect, test } from "vitest";
import { knownFeatures } from "../../src/distributions/subsetDistribution.ts";
import { Flow } from "../../src/flows/flow.ts";
import { logSumExp } from "../../src/numerics/logSumExp.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { fitCorrelatedKernels } from "../../src/tables/densities/fitCorrelatedKernels.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { KernelDensity, quantileKnots } from "../../src/tables/densities/index.ts";
import {
  fitKernelCovariance,
  KERNEL_WIDTHS,
  type KernelCovariance,
  type KernelRows,
} from "../../src/tables/densities/kernelCovariance.ts";
import { decodeModel } from "../../src/tables/model/decodeModel.ts";
import { encodeModel } from "../../src/tables/model/encodeModel.ts";
import { expectClose } from "../graph/run.ts";
import { draw, logProb } from "./evaluate.ts";

/** Rows of a Gaussian with mean 0, whose second column is 0.9 times the first one, with a residual deviation of `residual`. */
function correlated(count: number, seed: number, residual: number): Float64Array {
  const z = new Random(seed).normal(new Float64Array(2 * count));
  return z.map((value, i) => (i % 2 === 0 ? value : 0.9 * z[i - 1] + residual * value));
}

const normalDensity = (value: number, deviation: number) =>
  -0.5 * (value / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);

/** [N, D] as a column. */
const columnOf = (values: Float64Array, d: number, D: number) => values.filter((_, i) => i % D === d);

const continuous = (values: Float64Array): ColumnHeadOptions => ({
  type: "continuous",
  knots: quantileKnots(values.slice().sort()),
});

describe("the covariance of the kernels", () => {
  const [N, M] = [150, 2];
  /** Three groups of rows around points whose mean is 0. */
  const groups = [
    [-3, -2],
    [0, 3],
    [3, -1],
  ];
  const scores = correlated(N, 1, 0.3).map((value, i) => 0.5 * value + groups[Math.floor(i / M) % 3][i % M]);
  const rows: KernelRows = {
    rows: N,
    weights: Float64Array.from({ length: N }, (_, n) => 1 + (n % 3)),
    scores,
    means: new Float64Array(M),
    variances: Float64Array.of(1, 0.9),
    cellVariances: new Float64Array(M),
    isSmooth: new Float64Array(N * M).fill(1),
    classes: [],
    shrinkage: 1,
  };

  /** Every second row has no density in the second column. There, it has the number of the next row. */
  const partlySmooth: KernelRows = {
    ...rows,
    isSmooth: Float64Array.from({ length: N * M }, (_, i) => (i % 4 === 1 ? 0 : 1)),
    scores: scores.map((score, i) => (i % 4 === 1 ? scores[(i + 2) % (N * M)] : score)),
  };

  /** The mean leave-one-out log-likelihood, from its definition. A row without a second number only has the density of its first one. */
  function leaveOneOut(
    { covariance, widthWeights, centerFactors }: KernelCovariance,
    { isSmooth, weights, scores }: KernelRows,
  ): number {
    const [a, b, , c] = covariance;
    const determinant = a * c - b * b;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    for (let i = 0; i < N; i++) {
      const isPair = isSmooth[M * i + 1] === 1;
      const logs: number[] = [];
      for (let j = 0; j < N; j++) {
        if (j === i) continue;
        KERNEL_WIDTHS.forEach((width, s) => {
          // The means are 0.
          const [x, y] = [0, 1].map((d) => scores[M * i + d] - centerFactors[s] * scores[M * j + d]);
          const square = isPair ? (c * x * x - 2 * b * x * y + a * y * y) / determinant : (x * x) / a;
          const area = isPair
            ? 2 * Math.PI * width ** 2 * Math.sqrt(determinant)
            : width * Math.sqrt(2 * Math.PI * a);
          const logKernel = (-0.5 * square) / width ** 2 - Math.log(area);
          logs.push(Math.log((widthWeights[s] * weights[j]) / (total - weights[i])) + logKernel);
        });
      }
      sum += (weights[i] * logSumExp(logs)) / total;
    }
    return sum;
  }

  /** What the fit maximizes without shrinkage: each width has a row more. */
  const objective = (kernels: KernelCovariance, each: KernelRows) =>
    leaveOneOut(kernels, each) + kernels.widthWeights.reduce((sum, v) => sum + Math.log(v), 0) / N;

  test.each<[string, KernelRows, number[]]>([
    ["", rows, [0, 0.5, 0.95, 1.02]],
    // Here the covariance of two columns is below the maximum: it is divided by the geometric mean of the weights of both.
    [" if many values of a column have no density, wherever their centers are", partlySmooth, [0, 0.5]],
  ])("nearly maximizes the leave-one-out likelihood%s", async (_, withShrinkage, correlations) => {
    const each = { ...withShrinkage, shrinkage: 0 };
    const fit = await fitKernelCovariance(each, {});
    const [a, b, , c] = fit.covariance;
    const fitted = objective(fit, each);
    const changed: [string, number][] = [];
    const add = (name: string, change: Partial<KernelCovariance>) =>
      changed.push([name, objective({ ...fit, ...change }, each)]);
    for (const factor of [0.5, 2]) {
      const root = Math.sqrt(factor);
      add(`covariance times ${factor}`, { covariance: fit.covariance.map((value) => factor * value) });
      add(`first variance times ${factor}`, { covariance: Float64Array.of(factor * a, root * b, b, c) });
      add(`second variance times ${factor}`, { covariance: Float64Array.of(a, root * b, b, factor * c) });
      for (const s of KERNEL_WIDTHS.keys()) {
        const weights = fit.widthWeights.map((weight, k) => (k === s ? factor * weight : weight));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        add(`weight ${s} times ${factor}`, { widthWeights: weights.map((weight) => weight / total) });
      }
    }
    for (const s of KERNEL_WIDTHS.keys())
      for (const factor of [0.8, 1])
        add(`factor ${s} is ${factor}`, { centerFactors: fit.centerFactors.with(s, factor) });
    for (const factor of correlations)
      add(`correlation times ${factor}`, { covariance: Float64Array.of(a, factor * b, factor * b, c) });
    for (const [name, value] of changed) expect(value, name).toBeLessThan(fitted + 0.001);
    expect(b / Math.sqrt(a * c)).toBeGreaterThan(0.3);
    expect(changed.at(-correlations.length)![1]).toBeLessThan(fitted - 0.03);
  });

  test("stays positive if every row occurs twice", async () => {
    const twice = scores.map((_, i) => scores[i % (N * M - (N * M) / 2)]);
    const { covariance } = await fitKernelCovariance({ ...rows, scores: twice }, {});
    expect(covariance.every(Number.isFinite)).toBe(true);
    expect(covariance[0] * covariance[3] - covariance[1] ** 2).toBeGreaterThan(0);
    expect(covariance[0]).toBeLessThan(0.01);
  });

  test("does not depend on the order of rows with different gaps", async () => {
    const partly = { ...partlySmooth, weights: new Float64Array(N).fill(1) };
    const expected = await fitKernelCovariance(partly, {});
    const reversed = (values: ArrayLike<number>) =>
      Float64Array.from({ length: N * M }, (_, i) => values[M * (N - 1 - Math.floor(i / M)) + (i % M)]);
    const inReverse = { ...partly, scores: reversed(partly.scores), isSmooth: reversed(partly.isSmooth) };
    expectClose((await fitKernelCovariance(inReverse, {})).covariance, expected.covariance, 1e-9);
  });

  test("is reached from a much wider one, also if each iteration uses only some of the rows", async () => {
    // The second column has the same number in all rows of a group.
    const count = 1500;
    const numbers = new Random(2).normal(new Float64Array(2 * count));
    const groups = 50;
    const { covariance } = await fitKernelCovariance(
      {
        rows: count,
        weights: new Float64Array(count).fill(1),
        scores: numbers.map((z, i) => (i % 2 === 0 ? z : numbers[i % (2 * groups)])),
        means: new Float64Array(2),
        variances: Float64Array.of(1, 1),
        cellVariances: new Float64Array(2),
        isSmooth: new Float64Array(2 * count).fill(1),
        classes: [],
        shrinkage: 1,
      },
      {},
    );
    // The variance is at least 1e-6, from the ridge, and starts at about 0.1.
    expect(Math.sqrt(covariance[3])).toBeLessThan(0.002);
  });

  test("the share of the marginal distribution of a column is small if similar rows have its value in common", async () => {
    const byValue = Int32Array.from({ length: N }, (_, n) => Number(scores[M * n] > 0));
    const atRandom = Int32Array.from(new Random(2).uniform(new Float64Array(N)), (u) => Number(u > 0.5));
    const { marginalShares } = await fitKernelCovariance({ ...rows, classes: [byValue, atRandom] }, {});
    expect(marginalShares[0]).toBeLessThan(0.1);
    expect(marginalShares[1]).toBeGreaterThan(0.5);
  });

  test("one row, or a limit that is over, gives the rule of thumb", async () => {
    const single = { ...rows, rows: 1, weights: Float64Array.of(1), scores: scores.slice(0, M) };
    const { covariance } = await fitKernelCovariance(single, {});
    // (4 / (M + 2))^(2 / (M + 4)) is 1 for two columns.
    expect([...covariance]).toEqual([1, 0, 0, 0.9]);
    const limited = await fitKernelCovariance(rows, { deadline: performance.now() - 1 });
    expect(limited.covariance[0]).toBeCloseTo(N ** (-1 / 3), 10);
  });
});

test("correlated numbers have a density near the true one, and nearer than that of product kernels", async () => {
  const [N, residual] = [300, 0.1];
  const values = correlated(N, 3, residual);
  const columns = [0, 1].map((d) => continuous(columnOf(values, d, 2)));
  const data = { rows: N, features: 2, values };
  const test = correlated(4000, 4, residual);
  const truth = mean(
    Array.from(
      { length: 4000 },
      (_, n) => normalDensity(test[2 * n], 1) + normalDensity(test[2 * n + 1] - 0.9 * test[2 * n], residual),
    ),
  );
  const kernels = await fitCorrelatedKernels(columns, data);
  expect(truth - mean(await logProb(kernels, test))).toBeLessThan(0.1);
  const product = new KernelDensity({ columns, centers: N }, new Random(0));
  await product.fitToData(data);
  expect(truth - mean(await logProb(product, test))).toBeGreaterThan(0.2);
});

test("draws from kernels of many normal columns have the variance of the rows, although the kernels are wide", async () => {
  const [N, D] = [100, 12];
  const numbers = new Random(6).normal(new Float64Array(2 * N * D));
  const [values, test] = [numbers.subarray(0, N * D), numbers.subarray(N * D)];
  const columns = Array.from({ length: D }, (_, d) => continuous(columnOf(values, d, D)));
  const kernels = await fitCorrelatedKernels(columns, { rows: N, features: D, values });
  const variance = (rows: ArrayLike<number>) => mean(Float64Array.from(rows, (value) => value ** 2));
  // Kernels around the rows themselves have 1.8 times the variance of the rows, and are 2 nats below the truth.
  const ratio = variance(await draw(kernels, 4000)) / variance(values);
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.1);
  const truth = D * mean(test.map((value) => normalDensity(value, 1)));
  expect(truth - mean(await logProb(kernels, test))).toBeLessThan(0.6);
});

describe("kernels of a table with a category, missing numbers and an atom", () => {
  const N = 240;
  const noise = correlated(N, 5, 0.2);
  const values = new Float64Array(3 * N);
  for (let n = 0; n < N; n++) {
    const [x, y] = noise.subarray(2 * n);
    // Every fourth number is the atom 0, and every sixth one is missing.
    const second = n % 4 === 0 ? 0 : n % 6 === 1 ? Number.NaN : y;
    values.set([x > 0 ? 1 : 0, x, second], 3 * n);
  }
  const present = columnOf(values, 2, 3).filter((value) => value !== 0 && !Number.isNaN(value));
  const columns: ColumnHeadOptions[] = [
    { type: "categorical", categories: 2 },
    continuous(columnOf(values, 1, 3)),
    { type: "continuous", knots: quantileKnots(present.sort()), atoms: [0], gaps: true },
  ];
  const data = { rows: N, features: 3, values };
  const fitted = fitCorrelatedKernels(columns, data);

  test("a width has a kernel for each row", async () => {
    expect((await fitted).components).toBe(KERNEL_WIDTHS.length * N);
  });

  test("the frequencies of atoms and missing values are those of the rows", async () => {
    const count = 20_000;
    const drawn = columnOf(Float64Array.from(await draw(await fitted, count)), 2, 3);
    const frequency = (is: (value: number) => boolean) => drawn.filter(is).length / count;
    const expected = (is: (value: number) => boolean) => columnOf(values, 2, 3).filter(is).length / N;
    // The standard error is 0.003.
    for (const is of [Number.isNaN, (value: number) => value === 0])
      expect(Math.abs(frequency(is) - expected(is))).toBeLessThan(0.015);
  });

  test("numbers that are drawn given that they are present have the standard deviation of the column", async () => {
    const model = await fitted;
    const count = 4000;
    const noise = model.noise.map(({ kind, size }, i) => new Random(i)[kind](new Float64Array(size * count)));
    const nothing = knownFeatures(3, []);
    const run = compile(
      (x, known, positions, ...numbers) =>
        model.sampleUnknown(numbers, x, { known, positions }, { present: true }),
      [["N", 3], [3], [3], ...model.noise.map(({ size }) => ["N", size] as const)],
    );
    const x = new Float64Array(3 * count).fill(Number.NaN);
    const drawn = Float64Array.from(await run(x, nothing.known, nothing.positions, ...noise));
    const deviation = (values: Float64Array) =>
      Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    const numbers = columnOf(drawn, 2, 3).filter((value) => value !== 0);
    // Kernels make the distribution a little wider.
    expect(deviation(numbers) / deviation(present)).toBeGreaterThan(0.95);
    expect(deviation(numbers) / deviation(present)).toBeLessThan(1.2);
  });

  test("the category of a row follows its number", async () => {
    const logProbs = await logProb(await fitted, [1, 1, 0, 0, 1, 0, 1, -1, 0, 0, -1, 0]);
    const [same, other, wrong, right] = logProbs;
    expect(same - other).toBeGreaterThan(3);
    expect(right - wrong).toBeGreaterThan(3);
  });

  test("if no weight is positive, all rows have the same weight", async () => {
    const model = await fitCorrelatedKernels(columns, { ...data, weights: new Float64Array(N) });
    const expected = await logProb(await fitted, [1, 1, 0]);
    expect((await logProb(model, [1, 1, 0]))[0]).toBeCloseTo(expected[0], 6);
  });

  test("rows of weight 0 are no centers, and the weights of the others are those of their kernels", async () => {
    const weights = Float64Array.from({ length: N }, (_, n) => n % 3);
    const model = await fitCorrelatedKernels(columns, { ...data, weights });
    const used = weights.filter((weight) => weight > 0).length;
    expect(model.components).toBe(KERNEL_WIDTHS.length * used);
    const ofFirstWidth = model.logWeights.numbers.slice(0, used);
    const lightest = Math.min(...ofFirstWidth);
    const ratios = Array.from(ofFirstWidth, (logWeight) => Math.exp(logWeight - lightest));
    expect(ratios.filter((ratio) => Math.abs(ratio - 1) < 1e-5)).toHaveLength(N / 3);
    expect(ratios.filter((ratio) => Math.abs(ratio - 2) < 1e-5)).toHaveLength(N / 3);
  });
});

test("a model of many columns can be read from its file, which does not have the numbers of the pairs of logistic distributions", async () => {
  const [N, D] = [200, 60];
  const values = new Random(3).normal(new Float64Array(N * D));
  const columns = Array.from({ length: D }, (_, d) => continuous(columnOf(values, d, D)));
  const flow = new Flow(await fitCorrelatedKernels(columns, { rows: N, features: D, values }));
  const { flow: read } = await decodeModel(encodeModel({ flow }));
  const rows = values.subarray(0, 5 * D);
  expect(await read.logProb(rows)).toEqual(await flow.logProb(rows));
  await flow.release();
  await read.release();
});
