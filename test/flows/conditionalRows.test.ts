import { expect, test } from "vitest";
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
