import { expect, test } from "vitest";
import { knownFeatures } from "../../src/distributions/subsetDistribution.ts";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { chooseMixedGaussianMixture } from "../../src/tables/densities/fitMixedGaussianMixture.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { MixedGaussianMixture, quantileKnots } from "../../src/tables/densities/index.ts";
import { initialResponsibilities, prepareRows } from "../../src/tables/densities/mixedGaussianRows.ts";
import { MixedGaussianSteps } from "../../src/tables/densities/mixedGaussianSteps.ts";
import { logProb } from "./evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  discreteValues,
  lattice,
  sumOfProbabilities,
} from "./mixedColumns.ts";
import { linear, randomMixture } from "./randomGaussians.ts";
import { expectUnitMass, testSubsets } from "./subsets.ts";

testSubsets((columns) => randomMixture(columns));

test("the density of a mixed table integrates and sums to 1", async () => {
  await expectUnitMass(randomMixture([categorical, atoms]));
});

test("probabilities of two correlated lattices sum to 1", async () => {
  const model = randomMixture([lattice, lattice]);
  const rows = combinations([discreteValues[2], discreteValues[2]]);
  expect(sumOfProbabilities(await logProb(model, rows.flat()))).toBeCloseTo(1, 12);
});

const COVARIANCE = [
  [2, 1.2, -0.6],
  [1.2, 1.5, 0.3],
  [-0.6, 0.3, 1],
];
const MEANS = [0.5, -1, 0.2];

function gaussian(): MixedGaussianMixture {
  const model = new MixedGaussianMixture({ columns: [linear, linear, linear], components: 1 });
  model.means.value = Float64Array.from(MEANS);
  model.covariances.value = Float64Array.from(COVARIANCE.flat());
  return model;
}

test("conditional means and deviations are those of a Gaussian, for every subset", async () => {
  const model = gaussian();
  const run = compile(
    (x, known, positions) => model.conditionalParameters(x, { known, positions }),
    [["N", 3], [3], [3]],
    { precision: "float64" },
  );
  const x = [1.3, 0.4, -0.9];
  const parameters = async (known: number[]) => {
    const subset = knownFeatures(3, known);
    return [...(await run(x, subset.known, subset.positions))];
  };
  const [[a, b, c], [, d, e], [, , f]] = COVARIANCE;
  const [r0, r1, r2] = x.map((value, i) => value - MEANS[i]);
  const [, ...none] = await parameters([]);
  [...MEANS, ...[a, d, f].map(Math.sqrt)].forEach((value, i) => {
    expect(none[i]).toBeCloseTo(value, 12);
  });
  // Given the last column only.
  const [, m0, m1, , s0, s1] = await parameters([2]);
  expect(m0).toBeCloseTo(MEANS[0] + (c / f) * r2, 12);
  expect(m1).toBeCloseTo(MEANS[1] + (e / f) * r2, 12);
  expect(s0).toBeCloseTo(Math.sqrt(a - (c * c) / f), 12);
  expect(s1).toBeCloseTo(Math.sqrt(d - (e * e) / f), 12);
  // Given the first two columns, in both orders: the inverse of their covariance has a closed form.
  const determinant = a * d - b * b;
  const [w0, w1] = [(c * d - e * b) / determinant, (e * a - c * b) / determinant];
  for (const known of [
    [0, 1],
    [1, 0],
  ]) {
    const both = await parameters(known);
    expect(both[3]).toBeCloseTo(MEANS[2] + w0 * r0 + w1 * r1, 12);
    expect(both[6]).toBeCloseTo(Math.sqrt(f - w0 * c - w1 * e), 12);
  }
});

test("continuous columns have the log-density of a Gaussian", async () => {
  const count = 100;
  const rows = gaussianRows(count, 4);
  const [[a, b, c], [, d, e], [, , f]] = COVARIANCE;
  // The inverse covariance by cofactors.
  const cofactors = [
    [d * f - e * e, c * e - b * f, b * e - c * d],
    [c * e - b * f, a * f - c * c, b * c - a * e],
    [b * e - c * d, b * c - a * e, a * d - b * b],
  ];
  const determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2];
  const logNorm = 0.5 * Math.log(determinant) + 1.5 * Math.log(2 * Math.PI);
  const logProbs = await logProb(gaussian(), rows);
  for (let n = 0; n < count; n++) {
    const r = MEANS.map((mean, i) => rows[3 * n + i] - mean);
    const square = r.reduce(
      (sum, x, i) => sum + x * r.reduce((all, y, j) => all + cofactors[i][j] * y, 0),
      0,
    );
    expect(logProbs[n]).toBeCloseTo(-0.5 * (square / determinant) - logNorm, 10);
  }
});

/** Rows of the Gaussian with `MEANS` and `COVARIANCE`. */
function gaussianRows(count: number, seed: number): Float64Array {
  const z = new Random(seed).normal(new Float64Array(3 * count));
  const [[a, b, c], [, d, e], [, , f]] = COVARIANCE;
  const l00 = Math.sqrt(a);
  const [l10, l20] = [b / l00, c / l00];
  const l11 = Math.sqrt(d - l10 ** 2);
  const l21 = (e - l10 * l20) / l11;
  const l22 = Math.sqrt(f - l20 ** 2 - l21 ** 2);
  return z.map((_, i) => {
    const [z0, z1, z2] = z.subarray(3 * Math.floor(i / 3));
    return MEANS[i % 3] + [l00 * z0, l10 * z0 + l11 * z1, l20 * z0 + l21 * z1 + l22 * z2][i % 3];
  });
}

test("draws of unknown columns have the joint distribution given the known ones", async () => {
  const model = gaussian();
  const count = 40_000;
  const random = new Random(2);
  const noise = model.noise.map(({ kind, size }, i) => random.split(i)[kind](new Float64Array(size * count)));
  const run = compile(
    (x, known, positions, ...numbers) =>
      model.sampleUnknown(numbers, x, { known, positions }, { present: false }),
    [["N", 3], [3], [3], ...model.noise.map(({ size }) => ["N", size] as const)],
  );
  const known = knownFeatures(3, [1]);
  const x = Float64Array.from({ length: 3 * count }, (_, i) => (i % 3 === 1 ? 0.6 : Number.NaN));
  const drawn = await run(x, known.known, known.positions, ...noise);
  const column = (d: number) => Float64Array.from({ length: count }, (_, n) => drawn[3 * n + d]);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / count;
  const [first, second, third] = [column(0), column(1), column(2)];
  expect(second.every((value) => value === Math.fround(0.6))).toBe(true);
  const [[a, b, c], [, d, e], [, , f]] = COVARIANCE;
  const [m0, m2] = [mean(first), mean(third)];
  // Standard errors of means are below 0.007, of the covariances below 0.015.
  expect(Math.abs(m0 - MEANS[0] - (b / d) * 1.6)).toBeLessThan(0.03);
  expect(Math.abs(m2 - MEANS[2] - (e / d) * 1.6)).toBeLessThan(0.03);
  const product = mean(first.map((value, n) => (value - m0) * (third[n] - m2)));
  expect(Math.abs(product - (c - (b * e) / d))).toBeLessThan(0.06);
  expect(Math.abs(mean(third.map((value) => (value - m2) ** 2)) - (f - (e * e) / d))).toBeLessThan(0.06);
  expect(Math.abs(mean(first.map((value) => (value - m0) ** 2)) - (a - (b * b) / d))).toBeLessThan(0.06);
});

/** Rows of two groups: a label, two correlated numbers of which the second is sometimes missing, and a rounded number. */
function groupedRows(count: number, seed: number): Float64Array {
  const random = new Random(seed);
  const uniform = random.split("uniform").uniform(new Float64Array(3 * count));
  const normal = random.split("normal").normal(new Float64Array(3 * count));
  const rows = new Float64Array(4 * count);
  for (let n = 0; n < count; n++) {
    const [z0, z1, z2] = normal.subarray(3 * n);
    const group = uniform[3 * n] < 0.4 ? 0 : 1;
    const x = 4 * group + z0;
    const y = group === 0 ? z0 + 0.3 * z1 : -z0 + 0.5 * z1;
    const label = uniform[3 * n + 1] < 0.9 ? group : 1 - group;
    rows.set([label, x, uniform[3 * n + 2] < 0.1 ? Number.NaN : y, Math.round(3 * x + z2 + 15)], 4 * n);
  }
  return rows;
}

/** The density of `groupedRows` up to the rounding: a cell has the density at its center. */
function trueLogProb([label, x, y, cell]: Float64Array): number {
  const logNormal = (value: number, deviation: number) =>
    -0.5 * (value / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);
  const ofGroup = (group: number) => {
    const z = x - 4 * group;
    const mean = group === 0 ? z : -z;
    const logSecond = Number.isNaN(y)
      ? Math.log(0.1)
      : Math.log(0.9) + logNormal(y - mean, group === 0 ? 0.3 : 0.5);
    const logLabel = Math.log(label === group ? 0.9 : 0.1);
    const share = group === 0 ? 0.4 : 0.6;
    return share * Math.exp(logLabel + logNormal(z, 1) + logSecond + logNormal(cell - 15 - 3 * x, 1));
  };
  return Math.log(ofGroup(0) + ofGroup(1));
}

test("finds the groups of rows and the correlations within them", { timeout: 60_000 }, async () => {
  const values = groupedRows(1000, 1);
  const sorted = (d: number) => values.filter((value, i) => i % 4 === d && !Number.isNaN(value)).sort();
  const columns: ColumnHeadOptions[] = [
    { type: "categorical", categories: 2 },
    { type: "continuous", knots: quantileKnots(sorted(1)) },
    { type: "continuous", knots: quantileKnots(sorted(2)), gaps: true },
    { type: "lattice", cells: 50, knots: quantileKnots(sorted(3)) },
  ];
  const heldOut = groupedRows(300, 3);
  const model = await chooseMixedGaussianMixture(
    columns,
    { rows: 1000, features: 4, values },
    { rows: 300, features: 4, values: heldOut },
  );
  expect(model.components).toBeGreaterThanOrEqual(2);
  const test = groupedRows(4000, 2);
  const mean = (numbers: ArrayLike<number>) =>
    Array.from(numbers).reduce((sum, value) => sum + value, 0) / numbers.length;
  const truth = mean(Array.from({ length: 4000 }, (_, n) => trueLogProb(test.subarray(4 * n, 4 * n + 4))));
  expect(truth - mean(await logProb(model, test))).toBeLessThan(0.08);
});

test("describes a column that is the sum of others, also in float32", async () => {
  const deviation = 0.002;
  const sumRows = (count: number, seed: number) => {
    const noise = new Random(seed).normal(new Float64Array(3 * count));
    const values = noise.map((z, i) => (i % 3 === 2 ? noise[i - 2] + noise[i - 1] + deviation * z : z));
    const squares = noise.reduce((sum, z) => sum + z * z, 0);
    return {
      values,
      logDensity: (-0.5 * squares) / count - Math.log(deviation) - 1.5 * Math.log(2 * Math.PI),
    };
  };
  const data = (count: number, seed: number) => ({ rows: count, features: 3, ...sumRows(count, seed) });
  const model = await chooseMixedGaussianMixture([linear, linear, linear], data(300, 1), data(100, 2));
  const { values, logDensity } = sumRows(4000, 3);
  const logDensities = await new Flow(model).logProb(values);
  const mean = logDensities.reduce((sum, value) => sum + value, 0) / logDensities.length;
  // Nine parameters of 300 rows cost 0.015 nats.
  expect(logDensity - mean).toBeLessThan(0.08);
  expect(logDensity - mean).toBeGreaterThan(-0.02);
});

test("a code far from the other values of a lattice is not one of its numbers", async () => {
  const [rows, code] = [1000, 999];
  const z = new Random(1).normal(new Float64Array(rows));
  // The code is the age of every tenth person.
  const ages = Float64Array.from({ length: rows }, (_, n) =>
    n % 10 === 0 ? code : Math.round(50 + 12 * z[n]),
  );
  const known = ages.filter((age) => age !== code).sort();
  const columns: ColumnHeadOptions[] = [
    { type: "lattice", cells: 1000, atoms: [code], knots: quantileKnots(known) },
  ];
  const model = new MixedGaussianMixture({ columns, components: 1 });
  await model.fitToData({ rows, features: 1, values: ages });
  const probabilities = [
    ...(await logProb(
      model,
      Array.from({ length: 1000 }, (_, cell) => cell),
    )),
  ].map(Math.exp);
  const between = (from: number, to: number) =>
    probabilities.slice(from, to + 1).reduce((sum, probability) => sum + probability, 0);
  expect(between(100, code - 1)).toBeLessThan(0.001);
  expect(probabilities[code]).toBeCloseTo(0.1, 2);
  // A sixth of the rows is held out, so the others have another mean: the standard error is 0.4.
  const mean = probabilities.reduce(
    (sum, probability, age) => sum + (age === code ? 0 : age * probability),
    0,
  );
  expect(Math.abs(mean / (1 - probabilities[code]) - 50)).toBeLessThan(1.5);
});

test("a category that only the held-out rows have does not prevent the choice of the number of components", async () => {
  const group = (count: number, seed: number, label: (n: number) => number) => {
    const z = new Random(seed).normal(new Float64Array(count));
    return Float64Array.from({ length: 2 * count }, (_, i) => {
      const n = Math.floor(i / 2);
      return i % 2 === 0 ? label(n) : (n % 2 === 0 ? -5 : 5) + 0.3 * z[n];
    });
  };
  const values = group(400, 1, (n) => n % 2);
  const columns: ColumnHeadOptions[] = [{ type: "categorical", categories: 2, unseen: 0.02 }, linear];
  const chosen = async (heldOut: Float64Array) => {
    const model = await chooseMixedGaussianMixture(
      columns,
      { rows: 400, features: 2, values },
      { rows: heldOut.length / 2, features: 2, values: heldOut },
    );
    return model.components;
  };
  // The label 2 stands for all labels that training did not see.
  const heldOut = group(100, 2, (n) => (n === 7 ? 2 : n % 2));
  expect(await chosen(heldOut)).toBeGreaterThanOrEqual(2);

  const model = new MixedGaussianMixture({ columns: columns.slice(0, 1), components: 1 });
  const [training, unseen] = [Float64Array.of(0, 0, 1, 0), Float64Array.of(2, 0, 1)];
  const rows = (values: Float64Array) => ({ rows: values.length, features: 1, values });
  const prepared = await prepareRows(model, rows(training), rows(unseen));
  new MixedGaussianSteps(model, prepared.training).mStep(new Float64Array(4).fill(1), 0);
  const { logLikelihood } = new MixedGaussianSteps(model, prepared.heldOut).eStep();
  const expected = await logProb(model, unseen);
  expect(logLikelihood).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 3, 6);
});

test("rows with an impossible category are left out of the fit", async () => {
  const columns: ColumnHeadOptions[] = [{ type: "categorical", categories: 2 }, linear];
  const values = Float64Array.from({ length: 240 }, (_, i) => (i % 2 === 0 ? (i / 2) % 2 : i / 120 - 1));
  const fitted = async () => {
    const model = new MixedGaussianMixture({ columns, components: 2 });
    await model.fitToData({ rows: 120, features: 2, values });
    return logProb(model, [0, -0.5, 1, 0.5]);
  };
  const expected = await fitted();
  for (const n of [20, 50, 80]) values[2 * n] = 7;
  (await fitted()).forEach((value, n) => {
    expect(Math.abs(value - expected[n])).toBeLessThan(0.2);
  });
});

test("k-means uses fewer rows if columns have many labels, and none for one component", async () => {
  const labels: ColumnHeadOptions = { type: "categorical", categories: 3000 };
  const model = new MixedGaussianMixture({ columns: [labels, labels], components: 2 });
  const values = Float64Array.from({ length: 6000 }, (_, i) => Math.floor(i / 2));
  const { training } = await prepareRows(
    model,
    { rows: 3000, features: 2, values },
    { rows: 1, features: 2, values: values.subarray(0, 2) },
  );
  const responsibilities = async (components: number) => {
    const numbers = await initialResponsibilities(training, components, new Random(0), {});
    return Array.from({ length: 3000 }, (_, n) =>
      numbers.subarray(n * components, (n + 1) * components).reduce((sum, each) => sum + each, 0),
    );
  };
  // Two million numbers are those of 333 rows.
  const ofTwo = await responsibilities(2);
  expect(ofTwo).toEqual(ofTwo.map((_, n) => (n < 333 ? 1 : 0)));
  expect(await responsibilities(1)).toEqual(new Array(3000).fill(1));
});

test("the width of a cell is that on the linear scale, whose scores of outliers are clamped", async () => {
  // Scores are the cells, up to the bound 15.
  const cells: ColumnHeadOptions = { ...linear, type: "lattice", cells: 10_001 };
  const model = new MixedGaussianMixture({ columns: [cells], components: 1 });
  const rows = (values: number[]) => ({
    rows: values.length,
    features: 1,
    values: Float64Array.from(values),
  });
  const { training } = await prepareRows(model, rows([0, 1, 2, 3, 8, 10_000]), rows([0]));
  expect(training.cellVariances[0]).toBeCloseTo(1 / 12, 6);
});

test("rows of weight 0 have no effect, also if most rows have this weight", async () => {
  const rows = 20_000;
  const isUsed = (n: number) => n >= 10_000 && n < 10_003;
  const values = Float64Array.from({ length: rows }, (_, n) =>
    isUsed(n) ? 2 + 0.01 * (n % 3) : (n % 7) - 3,
  );
  const weights = Float64Array.from({ length: rows }, (_, n) => Number(isUsed(n)));
  const model = new MixedGaussianMixture({ columns: [linear], components: 1 });
  await model.fitToData({ rows, features: 1, values, weights });
  const [near, far] = await logProb(model, [2.01, 0]);
  expect(near - far).toBeGreaterThan(10);
});
