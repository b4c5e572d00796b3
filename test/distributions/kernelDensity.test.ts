import { describe, expect, test } from "vitest";
import { Flow } from "../../src/flows/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { KernelDensity, LatentClasses, quantileKnots } from "../../src/tables/densities/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { compiledOnce } from "./evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  continuous,
  discreteValues,
  lattice,
  sumOfProbabilities,
  withGaps,
} from "./mixedColumns.ts";
import { testSubsets } from "./subsets.ts";

const { gradients, logProb } = compiledOnce;

/** A kernel density with some missing values and atoms among its centers, and with different weights. */
function randomKernels(columns: ColumnHeadOptions[], { centers = 6, widths = 3 } = {}): KernelDensity {
  const model = new KernelDensity({ columns, centers, widths }, new Random(3));
  const random = new Random(4);
  model.centerLogits.value = random.split("centers").normal(new Float64Array(centers));
  model.widthLogits.value = random.split("widths").normal(new Float64Array(widths));
  for (const [d, column] of model.columns.entries()) {
    const normal = (name: string, size: number) => random.split(name).split(d).normal(new Float64Array(size));
    column.marginalLogit.value = normal("lambda", 1);
    column.marginal.value = normal("marginal", column.marginal.numbers.length).map((z) => 0.2 * z);
    if (column.smooth) {
      const { logBandwidths, centerFactors, centerMean } = column.smooth;
      logBandwidths.value = normal("bandwidth", widths).map((z, w) => 0.3 * z - 1.15 * w);
      centerFactors.value = normal("factor", widths).map((z) => 1 / (1 + z * z));
      centerMean.value = normal("mean", 1);
    }
    if (column.missing)
      column.missing.value = Float32Array.from({ length: centers }, (_, i) => Number(i % 3 === d % 3));
    if (column.head.type !== "categorical")
      column.head.atoms.forEach((atom, i) => {
        column.centers.value[(2 * i + 1) % centers] = atom;
      });
  }
  return model;
}

test("probabilities of a table of categories, cells and gaps sum to 1", async () => {
  const unseen: ColumnHeadOptions = { ...withGaps, unseen: 0.01 };
  const latticeWithGaps: ColumnHeadOptions = { ...lattice, gaps: true };
  const model = randomKernels([categorical, unseen, latticeWithGaps]);
  const rows = combinations([discreteValues[0], [0, 1, 2, Number.NaN], [...discreteValues[2], Number.NaN]]);
  expect(sumOfProbabilities(await logProb(model, rows.flat()))).toBeCloseTo(1, 12);
  // Also if a damaged file has impossible centers.
  model.columns[1].centers.value.set([2, 0.5, -1, 7]);
  model.columns[2].centers.value.set([-3, 0.5, 9]);
  expect(sumOfProbabilities(await logProb(model, rows.flat()))).toBeCloseTo(1, 12);
});

test("centers above the square root of the largest number are read from a file", async () => {
  const model = new KernelDensity({ columns: [continuous], centers: 2 }, new Random(1));
  const centers = [3e25, -1e25].map(Math.fround);
  model.columns[0].centers.value = Float32Array.from(centers);
  const { flow } = await decodeModel(encodeModel({ flow: new Flow(model) }));
  expect([...(flow.base as KernelDensity).columns[0].centers.numbers]).toEqual(centers);
});

test("many centers with few different values, of which some are missing, are the mixture of their kernels", async () => {
  const columns = [{ ...lattice, gaps: true }, categorical, atoms];
  const centers = 40;
  const model = randomKernels(columns, { centers });
  const repeated = model.columns[2].centers;
  repeated.value = repeated.numbers.map((value) => Math.round(2 * value) / 2);
  expect(new Set(repeated.numbers).size).toBeLessThan(centers / 2);
  const rows = combinations([
    [...discreteValues[2], Number.NaN],
    discreteValues[0],
    [-1.3, 0.5, 2, Number.NaN],
  ]).flat();
  const densities = await logProb(model, rows);
  const total = Array.from(model.centerLogits.numbers).reduce((sum, logit) => sum + Math.exp(logit), 0);
  const expected = new Float64Array(densities.length);
  // With a single center, no kernels are shared by equal centers.
  const single = randomKernels(columns, { centers: 1 });
  single.widthLogits.value = model.widthLogits.numbers.slice();
  for (let i = 0; i < centers; i++) {
    for (const [d, column] of single.columns.entries()) {
      const from = model.columns[d];
      column.centers.value = from.centers.numbers.slice(i, i + 1);
      if (column.missing) column.missing.value = from.missing!.numbers.slice(i, i + 1);
      column.marginalLogit.value = from.marginalLogit.numbers.slice();
      column.marginal.value = from.marginal.numbers.slice();
      for (const name of ["logBandwidths", "centerFactors", "centerMean"] as const)
        if (column.smooth) column.smooth[name].value = from.smooth![name].numbers.slice();
    }
    const weight = Math.exp(model.centerLogits.numbers[i]) / total;
    (await logProb(single, rows)).forEach((value, n) => {
      expected[n] += weight * Math.exp(value);
    });
  }
  densities.forEach((value, n) => {
    expect(value).toBeCloseTo(Math.log(expected[n]), 10);
  });
});

test.each(["linear", "asinh"] as const)(
  "the density of a mixed table integrates and sums to 1 (%s)",
  async (type) => {
    const scale = type === "asinh" ? { type, unit: 0.5 } : { type };
    const model = randomKernels([categorical, { ...atoms, scale }]);
    const step = 2e-3;
    const grid = Array.from({ length: 32_001 }, (_, i) => -32 + i * step + 1e-7);
    const density = await logProb(model, combinations([discreteValues[0], grid.map(Math.sinh)]).flat());
    const weighted = density.map((value, i) => value + Math.log(step * Math.cosh(grid[i % grid.length])));
    const single = await logProb(model, combinations([discreteValues[0], [0.5, Number.NaN]]).flat());
    expect(sumOfProbabilities(weighted) + sumOfProbabilities(single)).toBeCloseTo(1, 6);
    expect(sumOfProbabilities(single)).toBeGreaterThan(0.05);
  },
);

test("a kernel divides its mass among single values and the density between them in proportion to the marginal distribution", async () => {
  const column: ColumnHeadOptions = { ...atoms, gaps: false, atoms: [0, 1], components: 1 };
  const model = new KernelDensity({ columns: [column], centers: 1, widths: 1 }, new Random(0));
  const [ofColumn] = model.columns;
  const [h, center] = [0.3, 0.2];
  const probabilities = [0.3, 0.1];
  ofColumn.centers.value = Float64Array.of(center);
  ofColumn.smooth!.logBandwidths.value = Float64Array.of(Math.log(h));
  ofColumn.marginalLogit.value = Float64Array.of(-20);
  // Logits of the two atoms and of the component, which is standard logistic in z.
  ofColumn.marginal.value = Float64Array.of(...probabilities.map(Math.log), Math.log(0.6), 0, 0);
  const kernel = (v: number) => 1 / (4 * h * Math.cosh((v - center) / (2 * h)) ** 2);
  const [smooth] = (await logProb(marginalOf(column, ofColumn.marginal.value), [center])).map(Math.exp);
  const masses = [0, 1].map((v) => probabilities[v] * kernel(v));
  const total = smooth + masses[0] + masses[1];
  const densities = (await logProb(model, [0, 1, 0.5])).map(Math.exp);
  expect(densities[0]).toBeCloseTo(masses[0] / total, 6);
  expect(densities[1]).toBeCloseTo(masses[1] / total, 6);
  expect(densities[2]).toBeCloseTo((smooth / total) * kernel(0.5), 6);
});

/** The marginal distribution of a column of numbers, as latent classes with one class. */
function marginalOf(column: ColumnHeadOptions, parameters: ArrayLike<number>): LatentClasses {
  const model = new LatentClasses({ columns: [column], classes: 1 }, new Random(0));
  model.groups[0].parameters.value = Float64Array.from(parameters);
  return model;
}

// With 12 centers, the kernels of a lattice of 5 cells are computed once for each cell.
testSubsets((columns) => randomKernels(columns, { centers: 12 }));

test("has finite gradients, also at missing values and far in the tails", async () => {
  const model = randomKernels([categorical, lattice, continuous, atoms]);
  for (const precision of ["float32", "float64"] as const) {
    const rows = [0, 4, 1e6, Number.NaN, 2, 0, -1e6, 0.5, 1, 1, 1e30, 1e30];
    const [ofRows] = await gradients(model, rows, precision);
    expect(Array.from(ofRows).every(Number.isFinite)).toBe(true);
    expect(Array.from(await logProb(model, rows, precision)).every(Number.isFinite)).toBe(true);
  }
});

const continuousColumns = (rows: Float64Array, features: number): ColumnHeadOptions[] =>
  Array.from({ length: features }, (_, d) => ({
    type: "continuous",
    knots: quantileKnots(rows.filter((_, i) => i % features === d).sort()),
  }));

describe("the fit", () => {
  test("approaches the density of two dependent columns", async () => {
    // log p = log N(a; 0, 1) + log N(b - a; 0, 0.1).
    const dependent = (seed: number, count: number) => {
      const normal = new Random(seed).normal(new Float64Array(2 * count));
      return normal.map((z, i) => (i % 2 === 0 ? z : normal[i - 1] + 0.1 * z));
    };
    const rows = dependent(1, 500);
    const model = new KernelDensity({ columns: continuousColumns(rows, 2), centers: 500 }, new Random(0));
    await model.fitToData({ rows: 500, features: 2, values: rows });
    // Posterior weights that are left out in the fit do not lower the weights of the widths.
    expect(sumOfProbabilities(model.widthLogits.value)).toBeCloseTo(1, 6);
    const heldOut = dependent(2, 300);
    const entropy = Math.log(2 * Math.PI * 0.1) + 1;
    const logLikelihood = mean(await logProb(model, heldOut));
    expect(entropy + logLikelihood).toBeGreaterThan(-0.3);
    // On its centers the likelihood is higher, as they are a part of the estimate.
    expect(mean(await logProb(model, rows.subarray(0, 600)))).toBeGreaterThan(logLikelihood + 0.1);
  });

  test("learns how rounded columns depend on each other, although many values repeat", async () => {
    // b is a + e for independent normal a and e, and both columns are rounded: nearly all rows of a have one of five values.
    const rounded = (seed: number, count: number) => {
      const normal = new Random(seed).normal(new Float64Array(2 * count));
      return normal.map((z, i) => Math.round(i % 2 === 0 ? z : 2 * normal[i - 1] + z)).map((x) => x + 20);
    };
    const rows = rounded(1, 300);
    const heldOut = rounded(2, 1000);
    const columns: ColumnHeadOptions[] = [0, 1].map((d) => ({
      type: "lattice",
      cells: 41,
      knots: quantileKnots(rows.filter((_, i) => i % 2 === d).sort(), { width: 1 }),
      atoms: [18, 19, 20, 21, 22],
    }));
    const model = new KernelDensity({ columns, centers: 300 }, new Random(0));
    await model.fitToData({ rows: 300, features: 2, values: rows });
    const counts = new Map<string, number>();
    const many = rounded(3, 100_000);
    for (let i = 0; i < many.length; i += 2) {
      const key = `${many[i]},${many[i + 1]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1 / 100_000);
    }
    const logOfTruth = Array.from({ length: 1000 }, (_, n) =>
      Math.log(counts.get(`${heldOut[2 * n]},${heldOut[2 * n + 1]}`) ?? 1e-5),
    );
    // A product of the marginal distributions is 0.5 nats below the truth.
    expect(mean(await logProb(model, heldOut))).toBeGreaterThan(mean(logOfTruth) - 0.1);
  });

  test("learns categories that depend on each other, with gaps and cells", async () => {
    const uniform = new Random(3).uniform(new Float64Array(3000));
    const rows = uniform.map((u, i) => {
      const group = Math.floor(2 * uniform[i - (i % 3)]);
      if (i % 3 === 0) return group;
      if (i % 3 === 1) return u < 0.1 ? Number.NaN : u < 0.9 ? group : 1 - group;
      return Math.min(4, Math.floor(2 * u) + 2 * group);
    });
    const columns: ColumnHeadOptions[] = [
      { type: "categorical", categories: 2 },
      withGaps,
      { ...lattice, atoms: [] },
    ];
    const model = new KernelDensity({ columns, centers: 1000 }, new Random(0));
    await model.fitToData({ rows: 1000, features: 3, values: rows });
    const all = combinations([
      [0, 1],
      [0, 1, Number.NaN],
      [0, 1, 2, 3, 4],
    ]);
    const logProbs = await logProb(model, all.flat());
    expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 6);
    all.forEach(([group, second, cell], n) => {
      const ofSecond = Number.isNaN(second) ? 0.1 : second === group ? 0.8 : 0.1;
      const ofCell = cell === 2 * group || cell === 2 * group + 1 ? 0.5 : 0;
      expect(Math.abs(Math.exp(logProbs[n]) - 0.5 * ofSecond * ofCell)).toBeLessThan(0.03);
    });
  });

  test("nearly maximizes the leave-one-out likelihood", async () => {
    const N = 80;
    const normal = new Random(2).normal(new Float64Array(2 * N));
    // A number and a cell that depend on each other.
    const cellOf = (z: number) => Math.max(0, Math.min(9, Math.round(4.5 + z)));
    const rows = normal.map((z, i) => (i % 2 === 0 ? z : cellOf(2 * normal[i - 1] + 0.5 * z)));
    const cells = rows.filter((_, i) => i % 2 === 1);
    const [number] = continuousColumns(rows, 2);
    const columns: ColumnHeadOptions[] = [
      number,
      { type: "lattice", cells: 10, knots: quantileKnots(cells.slice().sort(), { width: 1 }) },
    ];
    const widths = 2;
    const model = new KernelDensity({ columns, centers: N, widths }, new Random(0));
    const weights = Float64Array.from({ length: N }, (_, n) => 1 + (n % 2));
    await model.fitToData({ rows: N, features: 2, values: rows, weights });
    const values = model.columns.map(({ centers }) => centers.numbers);
    const marginals = await Promise.all(
      columns.map(async (column, d) => {
        const marginal = marginalOf(column, model.columns[d].marginal.numbers);
        return (await logProb(marginal, values[d])).map(Math.exp);
      }),
    );
    const ofCenters = Float64Array.from(model.centerLogits.numbers, Math.exp);
    const total = ofCenters.reduce((sum, weight) => sum + weight, 0);
    const logistic = (z: number) => 1 / (1 + Math.exp(-z));

    /** p(x_i | c_j, s) of column d, from its definition. */
    function kernel(d: number, i: number, j: number, s: number): number {
      const { logBandwidths, centerFactors, centerMean } = model.columns[d].smooth!;
      const lambda = logistic(model.columns[d].marginalLogit.numbers[0]);
      const [mean] = centerMean.numbers;
      const center = mean + centerFactors.numbers[s] * (values[d][j] - mean);
      const standardized = (x: number) => (x - center) / Math.exp(logBandwidths.numbers[s]);
      const x = values[d][i];
      const below = (edge: number) => logistic(standardized(edge));
      const z = below(x);
      const ofNumber = (z * (1 - z)) / Math.exp(logBandwidths.numbers[s]);
      const ofCell = (x === 9 ? 1 : below(x + 0.5)) - (x === 0 ? 0 : below(x - 0.5));
      return (1 - lambda) * (d === 0 ? ofNumber : ofCell) + lambda * marginals[d][i];
    }
    function leaveOneOut(): number {
      const ofWidths = model.widthLogits.numbers.map(Math.exp);
      let sum = 0;
      for (let i = 0; i < N; i++) {
        let density = 0;
        for (let j = 0; j < N; j++)
          for (let s = 0; s < widths; s++)
            if (j !== i) density += ofCenters[j] * ofWidths[s] * kernel(0, i, j, s) * kernel(1, i, j, s);
        sum += (ofCenters[i] / total) * Math.log(density / (total - ofCenters[i]));
      }
      return sum;
    }

    const fitted = leaveOneOut();
    for (const [d, { smooth }] of model.columns.entries())
      for (const [parameter, change] of [
        [smooth!.logBandwidths, (x: number) => x - 0.5],
        [smooth!.logBandwidths, (x: number) => x + 0.5],
        [smooth!.centerFactors, (a: number) => Math.max(0, a - 0.2)],
        [smooth!.centerFactors, (a: number) => Math.min(1, a + 0.2)],
      ] as const)
        for (let s = 0; s < widths; s++) {
          const learned = parameter.numbers;
          parameter.value = Float64Array.from(learned, (x, k) => (k === s ? change(x) : x));
          expect(leaveOneOut(), `column ${d}, width ${s}`).toBeLessThan(fitted + 0.001);
          parameter.value = Float64Array.from(learned);
        }
  });

  test("draws rows with the variance of the training rows, and is near the true density, if columns are independent", async () => {
    const [N, D] = [100, 12];
    const random = new Random(0);
    const rows = random.normal(new Float64Array(N * D));
    const model = new KernelDensity({ columns: continuousColumns(rows, D), centers: N }, new Random(0));
    await model.fitToData({ rows: N, features: D, values: rows });
    const square = (values: ArrayLike<number>) => mean(Array.from(values, (x) => x * x));
    const draws = await new Flow(model).sample(20_000, { seed: 1 });
    const ratio = square(draws) / square(rows);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
    const heldOut = new Random(1).normal(new Float64Array(2000 * D));
    const truth = -0.5 * D * (Math.log(2 * Math.PI) + square(heldOut));
    expect(mean(await logProb(model, heldOut))).toBeGreaterThan(truth - 0.45);
  });

  test("has a bandwidth of at least the stated limit for rows that are nearly equal", async () => {
    const normal = new Random(5).normal(new Float64Array(200));
    // Each value occurs twice, with a difference of 1e-9.
    const rows = Float64Array.from({ length: 400 }, (_, i) => normal[i >> 1] + 1e-9 * (i % 2));
    const model = new KernelDensity({ columns: continuousColumns(rows, 1), centers: 300 }, new Random(0));
    await model.fitToData({ rows: 400, features: 1, values: rows });
    const sorted = rows.slice().sort();
    const range = sorted[299] - sorted[99];
    const narrowest = Math.exp(Math.min(...model.columns[0].smooth!.logBandwidths.value));
    expect(narrowest).toBeGreaterThan((0.099 * range) / 400);
    expect(mean(await logProb(model, rows))).toBeLessThan(5);
  });

  test("gives an atom that float32 does not represent the same probability in both precisions", async () => {
    const normal = new Random(7).normal(new Float64Array(100));
    const rows = normal.map((z, i) => (i % 4 === 0 ? 38.3 : 38 + z));
    const [column] = continuousColumns(rows, 1);
    const columns = [{ ...column, atoms: [38.3] } as ColumnHeadOptions];
    const model = new KernelDensity({ columns, centers: 100 }, new Random(0));
    await model.fitToData({ rows: 100, features: 1, values: rows });
    const [single] = await logProb(model, [38.3], "float32");
    const [double] = await logProb(model, [38.3], "float64");
    expect(Math.exp(double)).toBeCloseTo(0.25, 1);
    expect(single).toBeCloseTo(double, 5);
  });

  test("fits the marginal distributions to weighted rows", async () => {
    const columns: ColumnHeadOptions[] = [{ type: "categorical", categories: 3 }];
    const marginal = async (values: number[], weights?: number[]) => {
      const model = new KernelDensity({ columns, centers: 4, widths: 2 }, new Random(1));
      const rows = { rows: values.length, features: 1, values: Float64Array.from(values) };
      await model.fitToData({ ...rows, ...(weights && { weights: Float64Array.from(weights) }) });
      return model.columns[0]!.marginal.value;
    };
    expect(await marginal([0, 1, 2], [3, 1, 2])).toEqual(await marginal([0, 0, 0, 1, 2, 2]));
    expect(await marginal([0, 1, 2], [3, 1, 2])).not.toEqual(await marginal([0, 1, 2]));
  });

  test("its centers are rows of positive weight", async () => {
    const rows = 100;
    const values = Float64Array.from({ length: rows }, (_, n) => (n % 30 === 5 ? n % 3 : 0));
    const weights = Float64Array.from({ length: rows }, (_, n) => Number(n % 30 === 5));
    const model = new KernelDensity({ columns: [categorical], centers: 3 }, new Random(0));
    await model.fitToData({ rows, features: 1, values, weights });
    expect([...model.columns[0]!.centers.value].sort()).toEqual([2, 2, 2]);
    expect([...model.centerLogits.numbers]).toEqual([0, 0, 0]);
  });

  test("uses weights of rows, a subset of many rows, and fewer rows than centers", async () => {
    const rows = Float64Array.from([0, 1, 2, 0, 1, 2]);
    const columns: ColumnHeadOptions[] = [categorical];
    for (const centers of [4, 20]) {
      const model = new KernelDensity({ columns, centers, widths: 1 }, new Random(0));
      await model.fitToData({
        rows: 6,
        features: 1,
        values: rows,
        weights: Float64Array.from([1000, 1, 1, 1000, 1, 1]),
      });
      expect(sumOfProbabilities(await logProb(model, [0, 1, 2]))).toBeCloseTo(1, 6);
      if (centers === 20) expect(Math.exp((await logProb(model, [0]))[0])).toBeGreaterThan(0.8);
    }
  });
});
