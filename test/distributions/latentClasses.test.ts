import { expect, test } from "vitest";
import { InMemoryDataset } from "../../src/dataset/inMemoryDataset.ts";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { LatentClasses, quantileKnots } from "../../src/tables/densities/index.ts";
import { fit, minimize } from "../../src/train/index.ts";
import { gradients, logProb } from "./evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  continuous,
  discreteValues,
  lattice,
  randomize,
  sumOfProbabilities,
  withGaps,
} from "./mixedColumns.ts";
import { expectUnitMass, testSubsets } from "./subsets.ts";

function randomClasses(columns: ColumnHeadOptions[], classes = 3): LatentClasses {
  const model = new LatentClasses({ columns, classes }, new Random(1));
  randomize(model, { scale: 1.2 });
  return model;
}

test("probabilities of a table of categories, cells and gaps sum to 1", async () => {
  const unseen: ColumnHeadOptions = { ...withGaps, unseen: 0.01 };
  const model = randomClasses([categorical, unseen, lattice]);
  const rows = combinations([discreteValues[0], [0, 1, 2, Number.NaN], discreteValues[2]]);
  expect(sumOfProbabilities(await logProb(model, rows.flat()))).toBeCloseTo(1, 12);
});

test("the density of a mixed table integrates and sums to 1", async () => {
  await expectUnitMass(randomClasses([categorical, atoms]));
});

testSubsets((columns) => randomClasses(columns));

test("has finite gradients, also at missing values and far in the tails", async () => {
  const model = randomClasses([categorical, lattice, continuous, atoms]);
  const all = await gradients(model, [0, 4, 1e6, Number.NaN, 2, 0, -1e6, 0.5]);
  for (const values of all.slice(1)) expect(Array.from(values).every(Number.isFinite)).toBe(true);
});

/** Rows of three classes: a category, a number and a cell, some of which are missing. */
function classRows(count: number, seed: number): Float64Array {
  const random = new Random(seed);
  const uniform = random.split("uniform").uniform(new Float64Array(6 * count));
  const normal = random.split("normal").normal(new Float64Array(count));
  const rows = new Float64Array(4 * count);
  for (let n = 0; n < count; n++) {
    const [a, b, c, d, e, f] = uniform.subarray(6 * n, 6 * n + 6);
    const group = Math.floor(3 * a);
    rows.set(
      [
        b < 0.8 ? group : Math.floor(3 * c),
        d < 0.2 ? Number.NaN : 3 * group + normal[n],
        Math.floor(3 * e ** (group + 1)),
        f < 0.2 + 0.3 * group ? 1 : 0,
      ],
      4 * n,
    );
  }
  return rows;
}

/** log p of each row of `classRows`. */
function trueLogProb([category, number, cell, flag]: Float64Array): number {
  let sum = 0;
  for (const group of [0, 1, 2]) {
    const flagProbability = 0.2 + 0.3 * group;
    const first = (category === group ? 0.8 : 0) + 0.2 / 3;
    const fourth = flag === 1 ? flagProbability : 1 - flagProbability;
    const z = number - 3 * group;
    const second = Number.isNaN(number) ? 0.2 : (0.8 * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
    const third = ((cell + 1) / 3) ** (1 / (group + 1)) - (cell / 3) ** (1 / (group + 1));
    sum += (first * second * third * fourth) / 3;
  }
  return Math.log(sum);
}

test("starts close to classes in the data, and training by gradients improves on it", {
  timeout: 60_000,
}, async () => {
  const count = 4000;
  const values = classRows(count, 1);
  const numbers = values.filter((value, i) => i % 4 === 1 && !Number.isNaN(value)).sort();
  const model = new LatentClasses(
    {
      columns: [
        { type: "categorical", categories: 3 },
        { type: "continuous", knots: quantileKnots(numbers), gaps: true, components: 2 },
        { type: "categorical", categories: 3 },
        { type: "categorical", categories: 2 },
      ],
      classes: 5,
    },
    new Random(0),
  );
  const test = classRows(4000, 2);
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
  const truth = mean(Array.from({ length: 4000 }, (_, n) => trueLogProb(test.subarray(4 * n, 4 * n + 4))));
  await model.fitToData({ rows: count, features: 4, values });
  const afterEM = mean(await logProb(model, test));
  expect(truth - afterEM).toBeLessThan(0.2);
  await minimize(
    ({ values }) => model.logProb(values).neg(),
    model,
    new InMemoryDataset({ features: 4, values }),
    {
      validation: new InMemoryDataset({ features: 4, values: classRows(1000, 3) }),
      epochs: 20,
      optimizer: { learningRate: 1e-2 },
      batchSize: 200,
    },
  );
  const trained = mean(await logProb(model, test));
  expect(trained).toBeGreaterThan(afterEM);
  expect(truth - trained).toBeLessThan(0.03);
});

test("a class has the weighted marginal distribution of its rows", async () => {
  const model = new LatentClasses({ columns: [categorical, continuous], classes: 2 }, new Random(0));
  const values = Float64Array.from({ length: 400 }, (_, i) =>
    i % 2 === 0 ? Math.floor(i / 200) : i < 200 ? -1 : 1.5,
  );
  await model.fitToData({ rows: 200, features: 2, values });
  const run = compile((x) => model.classProbabilities(x), [["N", 2]]);
  const [a, b, c, d] = await run([0, -1, 1, 1.5]);
  expect(Math.max(a, b)).toBeGreaterThan(0.95);
  expect(Math.max(c, d)).toBeGreaterThan(0.95);
  expect(a > b).toBe(d > c);
});

test("a category that is impossible does not make the parameters NaN, so that `fit` names its row", async () => {
  const columns: ColumnHeadOptions[] = [{ type: "categorical", categories: 2 }, continuous];
  const values = Float64Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? (i / 2) % 2 : i / 100 - 1));
  values[2 * 50] = 7;
  const model = new LatentClasses({ columns, classes: 2 }, new Random(0));
  await expect(fit(new Flow(model), values, { epochs: 1 })).rejects.toThrow(
    "row 50 lies outside of the support of base: expected a row of positive density, received 7, 0.01",
  );
  expect([...model.classLogits.numbers].every(Number.isFinite)).toBe(true);
});

test("the classes of a lattice whose cells are all atoms have the cells of their rows", async () => {
  const cells: ColumnHeadOptions = {
    type: "lattice",
    cells: 5,
    knots: { x: [-0.5, 1, 3, 4.5], z: [-2.5, -0.8, 0.8, 2.5], slope: [1.1, 1, 1, 1.1] },
    components: 2,
    atoms: [0, 1, 3, 4],
  };
  const model = new LatentClasses(
    { columns: [{ type: "categorical", categories: 2 }, cells], classes: 2 },
    new Random(1),
  );
  // The label 0 has the cells 0 and 1, and the label 1 has the cells 3 and 4, equally often.
  const rows = [0, 1, 2, 3].map((i) => [Math.floor(i / 2), [0, 1, 3, 4][i]!]);
  const values = Float64Array.from({ length: 800 }, (_, i) => rows[Math.floor(i / 2) % 4]![i % 2]!);
  await model.fitToData({ rows: 400, features: 2, values });
  const probabilities = (await logProb(model, [...rows.flat(), 0, 4, 1, 0])).map(Math.exp);
  for (const probability of probabilities.slice(0, 4)) expect(probability).toBeCloseTo(0.25, 1);
  for (const probability of probabilities.slice(4)) expect(probability).toBeLessThan(0.02);
});

test("rows of weight 0 have no effect, also if most rows have this weight", async () => {
  const columns = [categorical, continuous];
  const fitted = async (rows: { rows: number; values: Float64Array; weights?: Float64Array }) => {
    const model = new LatentClasses({ columns, classes: 1 }, new Random(0));
    await model.fitToData({ features: 2, ...rows });
    return model.groups.flatMap(({ parameters }) => [...parameters.numbers]);
  };
  const used = Float64Array.of(1, 0.5, 2, -0.3, 1, 0.7);
  const values = Float64Array.from({ length: 40_000 }, (_, i) => used[i - 20_000] ?? 0);
  const weights = Float64Array.from({ length: 20_000 }, (_, n) => Number(n >= 10_000 && n < 10_003));
  const expected = await fitted({ rows: 3, values: used });
  (await fitted({ rows: 20_000, values, weights })).forEach((number, i) => {
    expect(number).toBeCloseTo(expected[i], 5);
  });
});
