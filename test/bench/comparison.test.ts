import { expect, test } from "vitest";
import type { Case } from "../../bench/speed/cases.ts";
import { comparison, comparisonRecord, comparisonTable } from "../../bench/speed/comparison.ts";

const benchCase: Case = { name: "logProb maf", job: "logProb", flow: "maf", dim: 6, rows: 100, target: 3 };
const theirs = {
  rounds: [
    [10, 12],
    [9, 9, 30],
  ],
  startMs: 40,
};
const ours = {
  rounds: [
    [5, 6],
    [2, 3, 4],
  ],
  startMs: 80.4,
};

test("the ratio is that of the medians over all repeats, and the spread is taken over the ratios of the rounds", () => {
  const { peerMs, ourMs, ratio, spread, target } = comparison(benchCase, "zuko", theirs, ours);
  expect([peerMs, ourMs, ratio]).toEqual([10, 4, 2.5]);
  // The ratios of the rounds are 11 / 5.5 = 2 and 9 / 3 = 3, with quartiles 2.25 and 2.75.
  expect(spread).toBeCloseTo(0.5, 12);
  expect(target).toBe(3);
});

test("only zuko has a target, and a ratio below it is marked as missed", () => {
  const both = ["zuko", "nflows"].map((peer) => comparison(benchCase, peer, theirs, ours));
  expect(comparisonTable(both)).toMatchInlineSnapshot(`
    "| case        |   peer | peer ms |    quartiles | our ms |    quartiles | ratio | spread |   target | start ms |
    | ----------- | -----: | ------: | -----------: | -----: | -----------: | ----: | -----: | -------: | -------: |
    | logProb maf |   zuko |    10.0 | 9.00 to 12.0 |   4.00 | 3.00 to 5.00 |  2.50 |  0.500 | 3 missed |   40, 80 |
    | logProb maf | nflows |    10.0 | 9.00 to 12.0 |   4.00 | 3.00 to 5.00 |  2.50 |  0.500 |          |   40, 80 |"
  `);
  expect(comparisonRecord(both[0])).toMatchInlineSnapshot(`
    {
      "job": "logProb",
      "name": "logProb maf",
      "ourMs": 4,
      "peer": "zuko",
      "peerMs": 10,
      "ratio": 2.5,
      "spread": 0.5,
    }
  `);
});
