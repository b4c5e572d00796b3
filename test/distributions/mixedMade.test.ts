import { describe, expect, test } from "vitest";
import type { ValueScale } from "../../src/bijections/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { MixedMade } from "../../src/tables/densities/mixedMade.ts";
import { gradients as gradientsOf } from "./evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  continuous,
  lattice,
  partsOfDate,
  randomize,
  sumOfProbabilities,
  withGaps,
} from "./mixedColumns.ts";
import { expectContinuousDraws, expectUnitMass } from "./subsets.ts";

/** A distribution with random weights, since with the initial ones the columns are independent. */
function randomMade(columns: ColumnHeadOptions[], hidden = [12, 12, 12]): MixedMade {
  const network = { hidden, activation: "tanh" as const, residual: true };
  const made = new MixedMade({ columns, network }, new Random(1));
  randomize(made);
  return made;
}

const evaluate = async (made: MixedMade, rows: number[][], positions?: number[]): Promise<number[]> => {
  const D = made.features;
  const run = compile((x) => (positions ? made.logProbInOrder(x, positions) : made.logProb(x)), [["N", D]], {
    precision: "float64",
  });
  return Array.from(await run(Float64Array.from(rows.flat())));
};

describe("a mixed MADE", () => {
  test.each([[[]], [[4]], [[12, 12, 12]]])(
    "of columns without a density has probabilities that sum to 1, in any ordering, with hidden layers %j",
    async (hidden) => {
      const made = randomMade([categorical, lattice, withGaps], hidden);
      const rows = combinations([
        [0, 1, 2],
        [0, 1, 2, 3, 4],
        [0, 1, Number.NaN],
      ]);
      for (const positions of [undefined, [2, 0, 1], [1, 2, 0]])
        expect(sumOfProbabilities(await evaluate(made, rows, positions))).toBeCloseTo(1, 12);
    },
  );

  test("gives the last cell of a lattice all mass beyond its lower edge, however far it is", async () => {
    const last = 131_071;
    const made = randomMade([{ ...lattice, unseen: 0, cells: last + 1 }]);
    const [before, at] = (await evaluate(made, [[last - 1], [last]])) as [number, number];
    expect(at).toBeGreaterThan(before);
    expect(at).toBeLessThan(-1000);
  });

  test("gives each cell of a lattice at least its part of the unseen probability, and nothing else changes", async () => {
    const cells = 1000;
    const evaluated = async (unseen: number) => {
      const made = randomMade([{ ...lattice, gaps: true, unseen, cells }]);
      return evaluate(made, [...Array.from({ length: cells }, (_, cell) => [cell]), [Number.NaN]]);
    };
    const without = await evaluated(0);
    const withFloor = await evaluated(0.01);
    expect(without[500]).toBeLessThan(-90);
    expect(withFloor[500]).toBeCloseTo(Math.log(0.01 / cells), 9);
    withFloor.forEach((logProb, i) => {
      const part = i < cells ? 0.01 / cells : 0;
      expect(Math.exp(logProb)).toBeCloseTo(0.99 * Math.exp(without[i]!) + part, 12);
    });
    expect(sumOfProbabilities(withFloor)).toBeCloseTo(1, 12);
  });

  test("has a density for continuous columns and a probability for single values and gaps", async () => {
    const made = randomMade([categorical, atoms]);
    await expectUnitMass(made);
    const single = sumOfProbabilities(
      await evaluate(
        made,
        combinations([
          [0, 1, 2],
          [0.5, Number.NaN],
        ]),
      ),
    );
    expect(single).toBeGreaterThan(0.05);
  });

  test.each<{ scale: ValueScale; at: (y: number) => [x: number, slope: number]; outside: number[] }>([
    {
      scale: { type: "asinh", unit: 0.5 },
      at: (y) => [0.5 * Math.sinh(y), 0.5 * Math.cosh(y)],
      outside: [],
    },
    { scale: { type: "log", low: -2 }, at: (y) => [Math.exp(y) - 2, Math.exp(y)], outside: [-2, -3] },
    {
      scale: { type: "inverseSoftplus", low: -2, unit: 0.5 },
      at: (y) => [0.5 * Math.log1p(Math.exp(2 * y)) - 2, 1 / (1 + Math.exp(-2 * y))],
      outside: [-2, -3],
    },
    { scale: { type: "reversedLog", high: 5 }, at: (y) => [5 - Math.exp(-y), Math.exp(-y)], outside: [5, 6] },
    {
      scale: { type: "logit", low: 1, high: 3 },
      at: (y) => [1 + 2 / (1 + Math.exp(-y)), 2 / (1 + Math.exp(-y)) / (1 + Math.exp(y))],
      outside: [0.5, 1, 3, 4],
    },
  ])("has a density on the support of a scale only, which integrates to 1: $scale", async (example) => {
    const columns = [{ ...continuous, scale: example.scale } as ColumnHeadOptions];
    const made = new MixedMade({ columns }, new Random(0));
    const step = 2e-3;
    const points = Array.from({ length: 28_001 }, (_, i) => example.at(-28 + i * step));
    const logProbs = await evaluate(
      made,
      points.map(([x]) => [x]),
    );
    const terms = logProbs.map((logProb, i) => logProb + Math.log(points[i][1] * step));
    expect(sumOfProbabilities(terms)).toBeCloseTo(1, 5);
    const beyond = example.outside.map((x) => [x]);
    expect(await evaluate(made, beyond)).toEqual(beyond.map(() => Number.NEGATIVE_INFINITY));
    const gradients = await gradientsOf(made, [...example.outside, 1.5, 1e30, -1e30]);
    for (const values of gradients.slice(1)) expect(Array.from(values).every(Number.isFinite)).toBe(true);
    const noise = [0.2, 1e-7, 1 - 1e-7].flatMap((u) => [0.1, 0.5, 0.9].map((choice) => [choice, u]));
    const draw = compile((a, b) => made.sample([a, b]), [["N", 1] as const, ["N", 1] as const]);
    const samples = await draw(
      Float32Array.from(noise, ([a]) => a),
      Float32Array.from(noise, ([, b]) => b),
    );
    const { low = -Infinity, high = Infinity } = example.scale as { low?: number; high?: number };
    for (const x of samples) expect(x >= low && x <= high).toBe(true);
  });

  test("is impossible outside the categories and cells", async () => {
    const made = randomMade([categorical, lattice]);
    const rows = [
      [3, 0],
      [0.5, 0],
      [0, 5],
      [0, -1],
      [0, 1.5],
    ];
    expect(await evaluate(made, rows)).toEqual(rows.map(() => Number.NEGATIVE_INFINITY));
  });

  test("gives all categories that training did not see one small probability", async () => {
    const made = randomMade([{ type: "categorical", categories: 2, unseen: 0.01 }]);
    const logProbs = await evaluate(made, [[0], [1], [2]]);
    expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 12);
    expect(logProbs[2]).toBeCloseTo(Math.log(0.01), 12);
    const missing = randomMade([{ type: "categorical", categories: 2, unseen: 0.01, gaps: true }]);
    const all = await evaluate(missing, [[0], [1], [2], [Number.NaN]]);
    expect(sumOfProbabilities(all)).toBeCloseTo(1, 12);
    expect(all[2]).toBeCloseTo(Math.log(0.01), 12);
  });

  test("takes an ordering as numbers or as a tensor, and shows the context to all columns", async () => {
    const network = { hidden: [8], activation: "tanh" as const };
    const made = new MixedMade({ columns: [categorical, lattice], context: 2, network }, new Random(1));
    [...trainableParameters(made).values()].forEach((parameter, i) => {
      parameter.value = new Random(i).normal(new Float64Array(parameter.numbers.length));
    });
    const shapes = [["N", 2] as const, ["N", 2] as const];
    const options = { precision: "float64" as const };
    const byNumbers = compile((x, c) => made.conditionals(x, [1, 0], c).transpose(), shapes, options);
    const byTensor = compile(
      (x, c, positions) => made.conditionals(x, positions, c).transpose(),
      [...shapes, [2]],
      options,
    );
    const rows = Float64Array.from([1, 3, 1, 3]);
    const contexts = Float64Array.from([0.5, -1, 2, 1]);
    const conditionals = await byNumbers(rows, contexts);
    expect(conditionals).toEqual(await byTensor(rows, contexts, Float64Array.from([1, 0])));
    expect(conditionals[0]).not.toBeCloseTo(conditionals[2], 3);
    expect(conditionals[1]).not.toBeCloseTo(conditionals[3], 3);
  });

  test("refuses single values that are repeated or not in the lattice", () => {
    const build = (values: number[]) => () =>
      new MixedMade({ columns: [{ ...lattice, atoms: values } as ColumnHeadOptions] }, new Random(0));
    expect(build([2, 2])).toThrow(
      "a mixed MADE is not valid at columns.0.atoms: expected different numbers in ascending order, received [2,2].",
    );
    for (const values of [[1, 5], [0.5], [-1]])
      expect(build(values)).toThrow(
        "a mixed MADE is not valid at columns.0.atoms: expected cell numbers from 0 to cells - 1",
      );
  });

  test("refuses more linear components than components", () => {
    const columns = [{ ...continuous, linearComponents: 4 } as ColumnHeadOptions];
    expect(() => new MixedMade({ columns }, new Random(0))).toThrow(
      "a mixed MADE is not valid at columns.0.linearComponents: expected no more than `components`, received 4.",
    );
  });

  test("factorizes: columns that come first have their own exact density", async () => {
    const made = randomMade([categorical, lattice, continuous]);
    // p(x_2 = c) of the ordering 2, 1, 0 is the sum over the other columns.
    const positions = [2, 1, 0];
    const sums: number[] = [];
    for (const c of [-1, 0.4])
      sums.push(
        sumOfProbabilities(await evaluate(made, combinations([[0, 1, 2], [0, 1, 2, 3, 4], [c]]), positions)),
      );
    const run = compile((x) => made.conditionals(x, positions).transpose(), [["N", 3]], {
      precision: "float64",
    });
    const conditionals = await run(Float64Array.from([0, 0, -1, 2, 3, 0.4]));
    expect(Math.exp(conditionals[2])).toBeCloseTo(sums[0], 12);
    expect(Math.exp(conditionals[5])).toBeCloseTo(sums[1], 12);
  });

  test("draws rows that follow its probabilities", async () => {
    const made = randomMade([lattice, withGaps, continuous, atoms]);
    const rows = 40_000;
    const random = new Random(3);
    const noise = made.noise.map(({ size }, i) => random.split(i).uniform(new Float64Array(rows * size)));
    const run = compile(
      (a, b) => made.sample([a, b]),
      made.noise.map(({ size }) => ["N", size] as const),
      { precision: "float64" },
    );
    const sample = await run(...noise);
    const column = (d: number) => Array.from({ length: rows }, (_, n) => sample[4 * n + d]);
    const frequencies = [0, 1, 2, 3, 4].map(
      (cell) => column(0).filter((value) => value === cell).length / rows,
    );
    const conditionalsOf = compile((x) => made.conditionals(x, [0, 1, 2, 3]).transpose(), [["N", 4]], {
      precision: "float64",
    });
    const cells = await conditionalsOf(Float64Array.from([0, 1, 2, 3, 4].flatMap((cell) => [cell, 0, 0, 0])));
    [0, 1, 2, 3, 4].forEach((cell) => {
      const probability = Math.exp(cells[4 * cell]);
      expect(Math.abs(frequencies[cell] - probability)).toBeLessThan(5 * Math.sqrt(probability / rows));
    });
    const expectFrequency = async (d: number, value: number) => {
      const replaced = sample.map((drawn, i) => (i % 4 === d ? value : drawn));
      const logProbs = await conditionalsOf(replaced);
      const probability = mean(Float64Array.from({ length: rows }, (_, n) => Math.exp(logProbs[4 * n + d])));
      const frequency = column(d).filter((drawn) => Object.is(drawn, value)).length / rows;
      expect(Math.abs(frequency - probability)).toBeLessThan(
        5 * Math.sqrt((probability * (1 - probability)) / rows),
      );
    };
    for (const value of [0, 1, Number.NaN]) await expectFrequency(1, value);
    await expectFrequency(3, 0.5);
    expect(column(2).every(Number.isFinite)).toBe(true);
  });

  test("draws continuous columns that follow its density", async () => {
    const made = randomMade([continuous, categorical, continuous]);
    await expectContinuousDraws(made, [0.4, 2, 0], [0, 1], 2);
    await expectContinuousDraws(made, [0, 1, 0], [], 0);
  });

  test("has finite gradients, also at missing values and far in the tails", async () => {
    const made = randomMade([categorical, lattice, continuous, atoms]);
    const gradients = await gradientsOf(made, [0, 4, 1e6, Number.NaN, 2, 0, -1e6, 0.5]);
    for (const values of gradients.slice(1)) expect(Array.from(values).every(Number.isFinite)).toBe(true);
  });

  test("draws the other columns given any columns, from their exact conditional distribution", async () => {
    const made = randomMade([categorical, lattice, withGaps]);
    const rows = 40_000;
    const random = new Random(5);
    const noise = made.noise.map(({ size }, i) => random.split(i).uniform(new Float64Array(rows * size)));
    const x = Float64Array.from({ length: 3 * rows }, (_, i) => [Number.NaN, 2, Number.NaN][i % 3]);
    const run = compile(
      (a, b, given) => made.sampleInOrder([a, b], [1, 2, 0], { given: { x: given, count: 1 } }),
      [...made.noise.map(({ size }) => ["N", size] as const), ["N", 3]],
      { precision: "float64" },
    );
    const sample = await run(...noise, x);
    const all = combinations([[0, 1, 2], [2], [0, 1, Number.NaN]]);
    const logProbs = await evaluate(made, all, [2, 0, 1]);
    // log p(first and last column | cell 2).
    const totalProbability = sumOfProbabilities(logProbs);
    all.forEach((row, i) => {
      let frequency = 0;
      for (let n = 0; n < rows; n++)
        if (row.every((value, d) => Object.is(sample[3 * n + d], value))) frequency += 1 / rows;
      const probability = Math.exp(logProbs[i]) / totalProbability;
      expect(Math.abs(frequency - probability)).toBeLessThan(5 * Math.sqrt(probability / rows));
    });
  });

  test("refuses an order in which a column comes before the one whose gap it shares", () => {
    const made = randomMade(partsOfDate);
    const noise = made.noise.map(({ size }, i) => input(`noise${i}`, ["N", size]));
    const order = partsOfDate.map((_, d) => d).reverse();
    expect(() => made.sampleInOrder(noise, order)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: a column comes before the one whose gap it shares: expected an order in which columns with sharesGap come after the column whose gap they share, received 3, 2, 1, 0.
      Give an order with the positions that inPossibleOrder returns.]
    `);
    const positions = made.inPossibleOrder(order.map((_, d) => order.indexOf(d)));
    const possible = positions.map((_, position) => positions.indexOf(position));
    expect(made.sampleInOrder(noise, possible).shape).toEqual(["N", partsOfDate.length]);
  });

  test("starts with the frequencies of weighted rows", async () => {
    const values = Float64Array.of(0, 1, 1, 2);
    const start = async (rows: { values: Float64Array; weights?: Float64Array }) => {
      const made = new MixedMade({ columns: [categorical], network: { hidden: [4] } }, new Random(0));
      await made.fitToData!({ rows: rows.values.length, features: 1, ...rows });
      return evaluate(made, [[0], [1], [2]]);
    };
    const weighted = await start({ values, weights: Float64Array.of(3, 1, 1, 2) });
    expect(weighted).toEqual(await start({ values: Float64Array.of(0, 0, 0, 1, 1, 2, 2) }));
    expect(weighted).not.toEqual(await start({ values }));
  });

  test("draws many columns in blocks, by the quantiles of their conditional distributions", async () => {
    const features = 60;
    const made = randomMade(new Array<ColumnHeadOptions>(features).fill(categorical), [12]);
    const order = Array.from({ length: features }, (_, position) => (7 * position) % features);
    const positions = order.map((_, column) => order.indexOf(column));
    const [rows, count] = [2, 5];
    const noise = made.noise.map(({ size }, i) =>
      new Random(5).split(i).uniform(new Float64Array(rows * size)),
    );
    const x = new Float64Array(rows * features).fill(1);
    const draw = compile(
      (a, b, given) => made.sampleInOrder([a, b], order, { given: { x: given, count } }),
      [...made.noise.map(({ size }) => ["N", size] as const), ["N", features]],
      { precision: "float64" },
    );
    const drawn = await draw(...noise, x);
    const conditionals = compile(
      (values) => made.conditionals(values, positions).transpose(),
      [["N", features]],
      { precision: "float64" },
    );
    for (let n = 0; n < rows; n++) {
      const row = drawn.slice(n * features, (n + 1) * features);
      for (const column of order.slice(0, count)) expect(row[column]).toBe(1);
      for (const column of order.slice(count)) {
        // The probability of each category given the columns before this one in the ordering.
        const variants = [0, 1, 2].flatMap((value) => Array.from(row.with(column, value)));
        const logProbs = await conditionals(Float64Array.from(variants));
        const probabilities = [0, 1, 2].map((value) => Math.exp(logProbs[value * features + column]));
        const below = [0, probabilities[0], probabilities[0] + probabilities[1]];
        const uniform = noise[0][n * features + column];
        expect(row[column]).toBe(below.filter((bound) => bound <= uniform).length - 1);
      }
    }
  });
});
