import { describe, expect, test } from "vitest";
import { selectRows } from "../../src/dataset/selectRows.ts";
import { Mixture } from "../../src/distributions/index.ts";
import type { SubsetDistribution } from "../../src/distributions/subsetDistribution.ts";
import { Random } from "../../src/random/index.ts";
import { ConditionalRows } from "../../src/tables/densities/conditionalRows.ts";
import { KernelDensity, LatentClasses, MixedMade } from "../../src/tables/densities/index.ts";
import { logProb } from "../distributions/evaluate.ts";
import {
  atoms,
  categorical,
  combinations,
  continuous,
  discrete,
  discreteValues,
  lattice,
  partsOfDate,
  randomize,
  sumOfProbabilities,
  withGaps,
} from "../distributions/mixedColumns.ts";

/** With random parameters a network has another density in each ordering of the columns. */
function randomMixture(): Mixture {
  const network = { hidden: [12, 12], activation: "tanh" as const };
  const made = new MixedMade({ columns: discrete, network }, new Random(1));
  const classes = new LatentClasses({ columns: discrete, classes: 4 }, new Random(2));
  randomize(made, { seed: 1, scale: 0.8 });
  randomize(classes, { seed: 2 });
  return new Mixture([made, classes], { weights: [0.6, 0.4] });
}

test("the density of some features given others is normalized, and that of the draws", async () => {
  const conditional = new ConditionalRows(randomMixture());
  const run = { precision: "float64" } as const;
  // The given feature is the last one, so it comes first only in this factorization.
  const given = [2];
  const of = [0, 1];
  for (const value of discreteValues[2]) {
    const rows = combinations([discreteValues[0], discreteValues[1], [value]]);
    const logProbs = await conditional.logProb(Float64Array.from(rows.flat()), { of, given }, run);
    expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 12);

    const count = 4000;
    const completed = await conditional.complete(
      {
        values: Float64Array.from({ length: 3 * count }, (_, i) => (i % 3 === 2 ? value : Number.NaN)),
        known: Uint8Array.from({ length: 3 * count }, (_, i) => (i % 3 === 2 ? 1 : 0)),
      },
      { random: new Random(value), start: 0, drawsOnlyPresent: false },
      run,
    );
    const row = Float64Array.of(0, 0, value);
    const { drawn } = await conditional.sampleAndLogProb(row, { of, given, draws: count }, run);
    // Pearson's chi-square statistic; 8 degrees of freedom exceed 31.8 with probability 1e-4.
    for (const [draws, size] of [
      [completed, 3],
      [drawn, 2],
    ] as const) {
      const counts = new Map<string, number>();
      for (let n = 0; n < count; n++) {
        const key = draws.subarray(size * n, size * n + 2).join();
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const statistic = rows.reduce((sum, row, i) => {
        const expected = count * Math.exp(logProbs[i]);
        return sum + ((counts.get(row.slice(0, 2).join()) ?? 0) - expected) ** 2 / expected;
      }, 0);
      expect(statistic).toBeLessThan(31.8);
    }
  }
  await conditional.release();
});

test("the probabilities given a value far from the data sum to 1", async () => {
  const made = new MixedMade(
    { columns: [continuous, categorical], network: { hidden: [12] } },
    new Random(1),
  );
  randomize(made);
  const conditional = new ConditionalRows(made);
  for (const far of [1e7, -1e7]) {
    const rows = combinations([[far], [0, 1, 2]]);
    const logProbs = await conditional.logProb(Float64Array.from(rows.flat()), { of: [1], given: [0] });
    expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 6);
  }
  await conditional.release();
});

describe("two missing features of a row follow their joint distribution given the third", () => {
  const columns = [withGaps, lattice, { ...lattice, gaps: true }];
  const values = [
    [0, 1, Number.NaN],
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4, Number.NaN],
  ];
  const classes = new LatentClasses({ columns, classes: 3 }, new Random(3));
  const kernels = new KernelDensity({ columns, centers: 5, widths: 2 }, new Random(4));
  randomize(classes, { seed: 3, scale: 1 });
  const weights = [0.3, 0.7];
  const mixture = new Mixture([classes, new Mixture([kernels])], { weights });

  /** Compares the frequencies of 20,000 draws with the probabilities of all pairs of values, which are those of the model. */
  async function expectJointDraws(distribution: SubsetDistribution, present: boolean): Promise<void> {
    const conditional = new ConditionalRows(distribution);
    const count = 20_000;
    // Half of the rows have a known feature 1 and half a known feature 2, so that they have different patterns.
    const given = (n: number) => (n < count / 2 ? { d: 1, value: 3 } : { d: 2, value: 0 });
    const drawn = await conditional.complete(
      {
        values: Float64Array.from({ length: 3 * count }, (_, i) => {
          const { d, value } = given(Math.floor(i / 3));
          return i % 3 === d ? value : Number.NaN;
        }),
        known: Uint8Array.from({ length: 3 * count }, (_, i) =>
          i % 3 === given(Math.floor(i / 3)).d ? 1 : 0,
        ),
      },
      { random: new Random(1), start: 0, drawsOnlyPresent: present },
    );
    await conditional.release();
    for (const first of [0, count / 2]) {
      const { d, value } = given(first);
      const possible = values.map((list, feature) =>
        feature === d ? [value] : list.filter((each) => !present || !Number.isNaN(each)),
      );
      const rows = combinations(possible);
      const joint = (await logProb(distribution, rows.flat())).map(Math.exp);
      const total = joint.reduce((sum, each) => sum + each);
      const counts = new Map<string, number>();
      for (let n = first; n < first + count / 2; n++) {
        const key = drawn.subarray(3 * n, 3 * n + 3).join();
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      expect([...counts.keys()].filter((key) => !rows.some((row) => row.join() === key))).toEqual([]);
      for (const [i, row] of rows.entries()) {
        const p = joint[i] / total;
        const frequency = (counts.get(row.join()) ?? 0) / (count / 2);
        expect(Math.abs(frequency - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / (count / 2)));
      }
    }
  }

  test("in latent classes, also given that neither is missing", async () => {
    await expectJointDraws(classes, false);
    await expectJointDraws(classes, true);
  });

  test("in a kernel density, also given that neither is missing", async () => {
    await expectJointDraws(kernels, false);
    await expectJointDraws(kernels, true);
  });

  test("in a mixture of both, with a mixture within", () => expectJointDraws(mixture, false));
});

test.each([false, true])(
  "the draw of a row does not depend on the other rows of the call (present: %s)",
  async (present) => {
    const columns = [...partsOfDate, continuous];
    const made = new MixedMade({ columns, network: { hidden: [12] } }, new Random(1));
    const classes = new LatentClasses({ columns, classes: 3 }, new Random(2));
    const kernels = new KernelDensity({ columns, centers: 5, widths: 2 }, new Random(3));
    randomize(made, { seed: 1 });
    randomize(classes, { seed: 2 });
    const conditional = new ConditionalRows(new Mixture([made, new Mixture([classes, kernels])]));
    const { NaN: missing } = Number;
    const values = [
      [1, 3, 2, 0, 0.4],
      [2, missing, missing, missing, -1],
      [0, 4, 0, 1, 2],
    ];
    const flags = [
      [1, 1, 0, 0, 1],
      [1, 1, 0, 1, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 1, 1],
      [1, 1, 1, 1, 1],
    ];
    const rows = flags.flatMap((known) => values.map((row) => ({ row, known })));
    const complete = (part: typeof rows, start: number) =>
      conditional.complete(
        {
          values: Float64Array.from(
            part.flatMap(({ row, known }) => row.map((value, d) => (known[d] === 1 ? value : missing))),
          ),
          known: Uint8Array.from(part.flatMap(({ known }) => known)),
        },
        { random: new Random(2), start, drawsOnlyPresent: present },
        { precision: "float64" },
      );
    const completed = await complete(rows, 7);
    for (const [n, row] of rows.entries()) {
      const single = await complete([row], 7 + n);
      for (const [d, value] of single.entries()) {
        const difference = Object.is(value, completed[5 * n + d])
          ? 0
          : Math.abs(value - completed[5 * n + d]!);
        expect(difference).toBeLessThan(1e-9);
      }
    }
    await conditional.release();
  },
);

test("known values stay as they are in all digits", async () => {
  const columns = [continuous, lattice];
  const network = { hidden: [4] };
  const members = [
    new LatentClasses({ columns, classes: 2 }, new Random(1)),
    new MixedMade({ columns, network }, new Random(2)),
  ];
  const conditional = new ConditionalRows(new Mixture(members));
  const count = 20;
  const completed = await conditional.complete(
    {
      values: Float64Array.from({ length: 2 * count }, (_, i) => [0.1, Number.NaN][i % 2]),
      known: Uint8Array.from({ length: 2 * count }, (_, i) => [1, 0][i % 2]),
    },
    { random: new Random(0), start: 0, drawsOnlyPresent: false },
  );
  await conditional.release();
  expect(new Set(completed.filter((_, i) => i % 2 === 0))).toEqual(new Set([0.1]));
  expect(completed.every((value) => !Number.isNaN(value))).toBe(true);
});

test("release waits for all runs of the calls before it", async () => {
  const columns = [continuous, lattice];
  const conditional = new ConditionalRows(new LatentClasses({ columns, classes: 2 }, new Random(1)));
  const ended: string[] = [];
  const values = new Float64Array(2);
  const draws = { of: [0, 1], given: [], draws: 2 };
  conditional.logProb(values, { of: [0], given: [1] }).then(() => ended.push("logProb"));
  conditional.sampleAndLogProb(values, draws).then(() => ended.push("sampleAndLogProb"));
  await conditional.release();
  expect(ended.sort()).toEqual(["logProb", "sampleAndLogProb"]);
});

describe("rows with different known features are completed like single rows", () => {
  const columns = [withGaps, lattice, { ...lattice, gaps: true }, atoms];
  const made = (hidden: number[]) => new MixedMade({ columns, network: { hidden } }, new Random(5));
  const classes = new LatentClasses({ columns, classes: 3 }, new Random(6));
  const kernels = new KernelDensity({ columns, centers: 5, widths: 2 }, new Random(7));
  const cases: [string, SubsetDistribution][] = [
    ["a network", made([10, 10])],
    ["a network with fewer units than features", made([3])],
    ["a network without hidden layers", made([])],
    ["latent classes", classes],
    ["a mixture", new Mixture([made([12]), classes, kernels])],
  ];
  const D = columns.length;
  const subsets = 2 ** D;
  const values = Float64Array.from(
    { length: subsets * D },
    (_, i) => [1, 3, i % 3 ? Number.NaN : 2, 0.5][i % D],
  );
  const known = Uint8Array.from({ length: subsets * D }, (_, i) => (Math.floor(i / D) >> (i % D)) & 1);

  test.each(cases)("in %s", async (_, distribution) => {
    randomize(distribution, { seed: 8, scale: 0.8 });
    const conditional = new ConditionalRows(distribution);
    for (const present of [false, true]) {
      const run = { precision: "float64" } as const;
      const draws = { random: new Random(9), drawsOnlyPresent: present };
      const completed = await conditional.complete({ values, known }, { ...draws, start: 0 }, run);
      for (let row = 0; row < subsets; row++) {
        const [from, to] = [row * D, (row + 1) * D];
        const single = { values: values.slice(from, to), known: known.slice(from, to) };
        const expected = await conditional.complete(single, { ...draws, start: row }, run);
        completed.subarray(from, to).forEach((value, d) => {
          if (Number.isNaN(expected[d])) expect(value).toBeNaN();
          else expect(value).toBeCloseTo(expected[d], 9);
        });
      }
    }
    await conditional.release();
  });
});

test("one missing feature follows its distribution given that it is present, in a mixture", async () => {
  const conditional = new ConditionalRows(randomMixture());
  const run = { precision: "float64" } as const;
  const count = 10_000;
  const rows = [0, 1].map((value) => [2, value, 4]);
  const logProbs = await conditional.logProb(Float64Array.from(rows.flat()), { of: [1], given: [0, 2] }, run);
  const [p0, p1] = logProbs.map(Math.exp);
  const p = p1 / (p0 + p1);
  const drawn = await conditional.complete(
    {
      values: Float64Array.from({ length: 3 * count }, (_, i) => [2, Number.NaN, 4][i % 3]),
      known: Uint8Array.from({ length: 3 * count }, (_, i) => [1, 0, 1][i % 3]),
    },
    { random: new Random(0), start: 0, drawsOnlyPresent: true },
    run,
  );
  await conditional.release();
  const mean = drawn.filter((_, i) => i % 3 === 1).reduce((sum, value) => sum + value / count, 0);
  expect(Math.abs(mean - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
});

test("draws of some features of rows have the densities log p(of | given), and are those of `complete` in a network", async () => {
  const run = { precision: "float64" } as const;
  const rows = Float64Array.from([0, Number.NaN, 2, 2, 1, 4, 0, 0, 0]);
  const draws = 30;
  const cases: { of: number[]; given: number[] }[] = [
    { of: [0, 2], given: [1] },
    { of: [1], given: [0, 2] },
    { of: [0, 1, 2], given: [] },
  ];
  const mixture = randomMixture();
  for (const distribution of [mixture, mixture.distributions[0] as MixedMade]) {
    const conditional = new ConditionalRows(distribution);
    for (const { of, given } of cases) {
      const result = await conditional.sampleAndLogProb(rows, { of, given, draws }, run);
      const ofRows = await conditional.logProb(rows, { of, given }, run);
      for (const [n, value] of result.logProb.entries()) expect(value).toBeCloseTo(ofRows[n], 10);
      const copies = selectRows(
        rows,
        Array.from({ length: 3 * draws }, (_, i) => Math.floor(i / draws)),
        3,
      );
      const drawn = copies.map((value, i) => {
        const feature = of.indexOf(i % 3);
        return feature < 0 ? value : result.drawn[Math.floor(i / 3) * of.length + feature];
      });
      const ofDraws = await conditional.logProb(drawn, { of, given }, run);
      for (const [i, value] of result.logProbDrawn.entries()) expect(value).toBeCloseTo(ofDraws[i], 10);
      if (distribution === mixture) continue;
      const known = Uint8Array.from(copies, (_, i) => (given.includes(i % 3) ? 1 : 0));
      const completed = await conditional.complete(
        { values: copies, known },
        { random: new Random(0), start: 0, drawsOnlyPresent: false },
        run,
      );
      expect(drawn).toEqual(completed);
    }
    await conditional.release();
  }
});
