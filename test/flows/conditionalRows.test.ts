import { expect, test } from "vitest";
import { selectRows } from "../../src/dataset/selectRows.ts";
import { LatentClasses, MixedMade, Mixture } from "../../src/distributions/index.ts";
import { ConditionalRows } from "../../src/flows/conditionalRows.ts";
import { Random } from "../../src/random/index.ts";
import {
  combinations,
  discrete,
  discreteValues,
  randomize,
  sumOfProbabilities,
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
    const drawn = await conditional.complete(
      {
        values: Float64Array.from({ length: 3 * count }, (_, i) => (i % 3 === 2 ? value : Number.NaN)),
        known: Uint8Array.from({ length: 3 * count }, (_, i) => (i % 3 === 2 ? 1 : 0)),
      },
      { seed: value, start: 0, present: false },
      run,
    );
    // Pearson's chi-square statistic; 8 degrees of freedom exceed 31.8 with probability 1e-4.
    const counts = new Map<string, number>();
    for (let n = 0; n < count; n++) {
      const key = drawn.subarray(3 * n, 3 * n + 3).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const statistic = rows.reduce((sum, row, i) => {
      const expected = count * Math.exp(logProbs[i]);
      return sum + ((counts.get(row.join()) ?? 0) - expected) ** 2 / expected;
    }, 0);
    expect(statistic).toBeLessThan(31.8);
  }
  await conditional.release();
});

test("draws of some features of rows are those of `complete`, and their densities are log p(of | given)", async () => {
  const conditional = new ConditionalRows(randomMixture());
  const run = { precision: "float64" } as const;
  const rows = Float64Array.from([0, Number.NaN, 2, 2, 1, 4, 0, 0, 0]);
  const draws = 30;
  const cases: { of: number[]; given: number[] }[] = [
    { of: [0, 2], given: [1] },
    { of: [1], given: [0, 2] },
    { of: [0, 1, 2], given: [] },
  ];
  for (const { of, given } of cases) {
    const result = await conditional.sampleAndLogProb(rows, { of, given, draws }, run);
    const copies = selectRows(
      rows,
      Array.from({ length: 3 * draws }, (_, i) => Math.floor(i / draws)),
      3,
    );
    const known = Uint8Array.from(copies, (_, i) => (given.includes(i % 3) ? 1 : 0));
    const completed = await conditional.complete(
      { values: copies, known },
      { seed: 0, start: 0, present: false },
      run,
    );
    expect(result.drawn).toEqual(completed.filter((_, i) => of.includes(i % 3)));
    const ofRows = await conditional.logProb(rows, { of, given }, run);
    for (const [n, value] of result.logProb.entries()) expect(value).toBeCloseTo(ofRows[n], 10);
    const ofDraws = await conditional.logProb(completed, { of, given }, run);
    for (const [i, value] of result.logProbDrawn.entries()) expect(value).toBeCloseTo(ofDraws[i], 10);
  }
  await conditional.release();
});
