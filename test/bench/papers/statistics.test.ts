import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auroc, standardError, withError } from "../../../bench/papers/statistics.ts";

describe("the area under the ROC curve", () => {
  test("is the share of pairs in which the positive has the higher score, and ties count half", () => {
    const scored = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0, 1)), {
      minLength: 2,
    });
    fc.assert(
      fc.property(scored, (pairs) => {
        const of = (label: number) => pairs.filter(([, l]) => l === label).map(([score]) => score);
        const [positives, negatives] = [of(1), of(0)];
        fc.pre(positives.length > 0 && negatives.length > 0);
        let count = 0;
        for (const p of positives) for (const n of negatives) count += p > n ? 1 : p === n ? 0.5 : 0;
        const area = auroc(
          pairs.map(([score]) => score),
          pairs.map(([, label]) => label),
        );
        expect(area).toBeCloseTo(count / (positives.length * negatives.length), 12);
      }),
    );
  });

  test("accepts infinite scores, such as log-densities outside of the support", () => {
    expect(auroc([Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY, 0], [1, 1, 0, 0])).toBe(0.625);
  });
});

test("standard errors divide the squares by N - 1 and the deviation by the root of N", () => {
  expect(standardError([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3 / 4), 12);
  expect(standardError([7])).toBe(0);
  expect(withError([1, 2, 3, 4])).toBe("2.50 ± 0.65");
  expect(withError([7])).toBe("7.00");
  expect(withError([])).toBe("");
});
