import { expect, test } from "vitest";
import { InMemoryDataset } from "../../src/dataset/inMemoryDataset.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { quantileKnots } from "../../src/tables/densities/heads/quantileKnots.ts";
import { MixedMade } from "../../src/tables/densities/mixedMade.ts";
import { type LossBatch, minimize } from "../../src/train/index.ts";
import { withGaps } from "./mixedColumns.ts";

test("a mixed MADE starts with the marginal distribution of each column", async () => {
  const rows = 2000;
  const random = new Random(11);
  const normal = random.split("normal").normal(new Float64Array(rows));
  const uniform = random.split("uniform").uniform(new Float64Array(rows));
  const skewed = normal.map((z) => Math.exp(z));
  const knots = quantileKnots(skewed.slice().sort());
  const made = new MixedMade({ columns: [{ type: "continuous", knots }, { ...withGaps }] }, new Random(0));
  const values = Float64Array.from({ length: 2 * rows }, (_, i) =>
    i % 2 === 0 ? skewed[i >> 1] : [0, 1, Number.NaN][Math.floor(3 * uniform[i >> 1] ** 2)],
  );
  await made.fitToData({ rows, features: 2, values });
  const share = (test: (value: number) => boolean) =>
    Array.from({ length: rows }, (_, n) => values[2 * n + 1]).filter(test).length / rows;
  const run = compile((x) => made.conditionals(x, [0, 1]).transpose(), [["N", 2]], {
    precision: "float64",
  });
  const conditionals = await run(Float64Array.from([1, 0, 1, 1, 1, Number.NaN]));
  [share((v) => v === 0), share((v) => v === 1), share(Number.isNaN)].forEach((expected, i) => {
    expect(Math.exp(conditionals[2 * i + 1])).toBeCloseTo(expected, 3);
  });
  const noise = made.noise.map(({ size }, i) => random.split(i).uniform(new Float64Array(4000 * size)));
  const draw = compile(
    (a, b) => made.sample([a, b]),
    made.noise.map(({ size }) => ["N", size] as const),
    {
      precision: "float64",
    },
  );
  const sample = await draw(...noise);
  // The column has about the quantiles of the data, within a few errors of 2,000 and 4,000 rows.
  const logs = Float64Array.from({ length: 4000 }, (_, n) => Math.log(sample[2 * n])).sort();
  const drawn = [0.1, 0.25, 0.5, 0.75, 0.9].map((level) => logs[level * 4000]);
  [-1.2816, -0.6745, 0, 0.6745, 1.2816].forEach((quantile, i) => {
    expect(Math.abs(drawn[i] - quantile)).toBeLessThan(0.15);
  });
});

/** Rows of three columns: a class, a cell that depends on it and a number that depends on both, some of which are missing. */
function dependentRows(count: number, seed: number): Float64Array {
  const random = new Random(seed);
  const uniform = random.split("uniform").uniform(new Float64Array(3 * count));
  const normal = random.split("normal").normal(new Float64Array(count));
  const rows = new Float64Array(3 * count);
  for (let n = 0; n < count; n++) {
    const [u, v, w] = uniform.subarray(3 * n, 3 * n + 3);
    const group = u < 0.3 ? 0 : 1;
    const cell = group === 0 ? Math.floor(3 * v) : Math.floor(3 * Math.sqrt(v));
    const number = w < 0.1 + 0.2 * group ? Number.NaN : cell + 0.5 * normal[n];
    rows.set([group, cell, number], 3 * n);
  }
  return rows;
}

/** log p of each row of `dependentRows`. */
const trueLogProbs = (rows: Float64Array): number[] =>
  Array.from({ length: rows.length / 3 }, (_, n) => {
    const [group, cell, number] = rows.subarray(3 * n, 3 * n + 3);
    const cells = group === 0 ? [1 / 3, 1 / 3, 1 / 3] : [1 / 9, 3 / 9, 5 / 9];
    const missing = 0.1 + 0.2 * group;
    const last = Number.isNaN(number)
      ? Math.log(missing)
      : Math.log1p(-missing) - 2 * (number - cell) ** 2 - 0.5 * Math.log(2 * Math.PI) - Math.log(0.5);
    return Math.log(group === 0 ? 0.3 : 0.7) + Math.log(cells[cell]) + last;
  });

test("a mixed MADE learns every ordering, and its validation rows are scored in the order of the columns", {
  timeout: 120_000,
}, async () => {
  const count = 8000;
  const values = dependentRows(count, 1);
  const numbers = Float64Array.from({ length: count }, (_, n) => values[3 * n + 2]).filter(
    (x) => !Number.isNaN(x),
  );
  const made = new MixedMade(
    {
      columns: [
        { type: "categorical", categories: 2 },
        { type: "categorical", categories: 3 },
        { type: "continuous", knots: quantileKnots(numbers.sort()), gaps: true, components: 4 },
      ],
      network: { hidden: [32, 32, 32], residual: true, activation: "silu" },
    },
    new Random(0),
  );
  await made.fitToData({ rows: count, features: 3, values });
  const validation = dependentRows(2000, 2);
  const loss = ({ values }: LossBatch) => made.logProb(values).neg();
  const { epochs } = await minimize(loss, made, new InMemoryDataset({ features: 3, values }), {
    validation: new InMemoryDataset({ features: 3, values: validation }),
    epochs: 20,
    patience: 20,
    schedule: { type: "cosine" },
    batchSize: 100,
    optimizer: { learningRate: 3e-3 },
  });
  const mean = async (positions: number[]) => {
    const run = compile((x) => made.logProbInOrder(x, positions), [["N", 3]], { precision: "float64" });
    const scores = await run(validation);
    return Array.from(scores).reduce((sum, score) => sum + score, 0) / scores.length;
  };
  const inColumnOrder = await mean([0, 1, 2]);
  const best = Math.min(...epochs.map(({ validationLoss }) => validationLoss!));
  expect(-best).toBeCloseTo(inColumnOrder, 4);
  const truth = trueLogProbs(validation).reduce((sum, value) => sum + value, 0) / 2000;
  // Both are means over the same rows, so the noise of the rows cancels: their difference estimates KL(data || model).
  for (const positions of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ])
    expect(Math.abs((await mean(positions)) - truth)).toBeLessThan(0.03);
});
