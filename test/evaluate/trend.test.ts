import { describe, expect, it } from "vitest";
import { trend } from "../../src/tables/evaluate/index.ts";
import golden from "./golden/associations.json" with { type: "json" };

const { rows, pairs } = golden;

describe.each(["spearman", "pearson"] as const)("with %s", (correlation) => {
  it("the association of each pair is that of scipy, in the rows in which both values are present", () => {
    const result = trend(rows, rows, { correlation });
    expect(result.meanDifference).toBe(0);
    for (const [first, second, value] of pairs[correlation]) {
      const pair = result.pairs.find(
        ({ columns }) => columns.includes(`${first}`) && columns.includes(`${second}`),
      );
      expect(pair?.real).toBeCloseTo(value as number, 12);
    }
  });
});

it("lists the pairs whose dependence differs most first, and averages the differences", () => {
  const reversed = { ...rows, x: rows.x.map((x) => -x) };
  const { pairs, meanDifference } = trend(rows, reversed);
  expect(pairs[0].columns).toEqual(["x", "y"]);
  expect(pairs[0].generated).toBeCloseTo(-pairs[0].real, 12);
  expect(pairs.slice(1).every(({ difference }) => difference < 1e-12)).toBe(true);
  expect(meanDifference).toBeCloseTo(pairs[0].difference / 6, 12);
});

it("leaves out pairs with a column that is constant in one of the tables", () => {
  const constant = { ...rows, a: rows.a.map(() => "high"), y: rows.y.map(() => 1) };
  expect(trend(rows, constant).pairs.map(({ columns }) => columns.join(" "))).toEqual(["x b"]);
});

it("bigints are compared by all their digits", () => {
  const rows = Array.from({ length: 60 }, (_, n) => ({ key: 2n ** 53n + BigInt(n % 2), label: "ab"[n % 2] }));
  expect(trend(rows, rows).pairs).toMatchObject([
    { columns: ["key", "label"], measure: "cramersV", real: 1 },
  ]);
});
