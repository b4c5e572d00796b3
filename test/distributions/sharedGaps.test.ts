import { expect, test } from "vitest";
import { reverseOrder } from "../../src/bijections/permutation.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { KernelDensity, LatentClasses, MixedMade } from "../../src/tables/densities/index.ts";
import { draw, logProb } from "./evaluate.ts";
import {
  combinations,
  lattice,
  partsOfDate,
  randomize,
  sumOfProbabilities,
  valuesOfDate,
  withGaps,
} from "./mixedColumns.ts";

const [first, second] = [1, 2];

test("a column shares the gap of a numeric column before it that has one", () => {
  const [, week, weekday] = partsOfDate;
  for (const columns of [
    [weekday],
    [lattice, weekday],
    [withGaps, weekday],
    [week, { ...lattice, gaps: true, sharesGap: true }],
  ])
    expect(() => new LatentClasses({ columns, classes: 2 }, new Random(0))).toThrow(
      "columns with `sharesGap` without `gaps`, after a numeric column that has one of these",
    );
  const columns = [week, weekday, weekday];
  expect(new LatentClasses({ columns, classes: 2 }, new Random(0)).acceptsMissing).toBe(true);
});

test("an order in which a shared gap would come first is changed, and the probabilities of rows sum to 1", async () => {
  const made = new MixedMade({ columns: partsOfDate, network: { hidden: [12] } }, new Random(0));
  randomize(made);
  const order = made.inPossibleOrder(reverseOrder(4));
  expect(order).toEqual([3, 1, 2, 0]);
  const run = compile((x) => made.logProbInOrder(x, order), [["N", 4]], { precision: "float64" });
  const logProbs = await run(Float64Array.from(combinations(valuesOfDate).flat()));
  expect(sumOfProbabilities(logProbs)).toBeCloseTo(1, 12);
});

test("columns of a wide table that share a gap are drawn together", async () => {
  const columns = [...partsOfDate, ...new Array(60).fill(withGaps)];
  const D = columns.length;
  const made = new MixedMade({ columns, network: { hidden: [16] } }, new Random(0));
  const drawn = await draw(made, 1000);
  const logProbs = await logProb(made, drawn);
  let missing = 0;
  for (let n = 0; n < 1000; n++) {
    const isMissing = Number.isNaN(drawn[n * D + first]);
    expect(Number.isNaN(drawn[n * D + second])).toBe(isMissing);
    expect(logProbs[n]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
    if (isMissing) missing++;
  }
  expect(missing).toBeGreaterThan(20);
  expect(missing).toBeLessThan(980);
});

test("a kernel density learns how often a shared gap occurs, and which values are together", async () => {
  const columns = partsOfDate.slice(first, second + 1);
  const random = new Random(3);
  const uniform = random.uniform(new Float64Array(400));
  // A fifth of the rows is missing. In the others, the second value is 4 minus the first.
  const values = Float64Array.from({ length: 800 }, (_, i) => {
    const u = uniform[Math.floor(i / 2)];
    if (u < 0.2) return Number.NaN;
    const value = Math.floor(u * 50) % 5;
    return i % 2 === 0 ? value : 4 - value;
  });
  const kernel = new KernelDensity({ columns, centers: 200 }, random);
  await kernel.fitToData({ rows: 400, features: 2, values });
  const rows = combinations([valuesOfDate[first], valuesOfDate[second]]);
  const probabilities = (await logProb(kernel, rows.flat())).map(Math.exp);
  expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  const missing = uniform.filter((u) => u < 0.2).length / 400;
  const share = (of: (row: number[]) => boolean) =>
    rows.reduce((sum, row, i) => sum + (of(row) ? probabilities[i] : 0), 0);
  expect(Math.abs(share(([a]) => Number.isNaN(a)) - missing)).toBeLessThan(0.05);
  expect(share(([a, b]) => a + b === 4)).toBeGreaterThan(0.9 * (1 - missing));
});
