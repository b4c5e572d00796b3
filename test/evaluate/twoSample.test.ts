import { expect, it } from "vitest";
import { mean } from "../../src/numerics/mean.ts";
import { midranks } from "../../src/numerics/midranks.ts";
import { variance } from "../../src/numerics/variance.ts";
import { Random } from "../../src/random/index.ts";
import type { TableRow } from "../../src/tables/columns/tableRows.ts";
import { auroc } from "../../src/tables/evaluate/auroc.ts";
import { trend, twoSample } from "../../src/tables/evaluate/index.ts";
import golden from "./golden/auroc.json" with { type: "json" };

/** Rows with numbers, labels and missing values. The number and the label depend on each other by `dependence`, from 0 to 1. */
function mixedRows(rows: number, seed: number, dependence: number): TableRow[] {
  const random = new Random(seed);
  const [number, noise, missing] = ["number", "noise", "missing"].map((name) =>
    random.split(name).normal(new Float64Array(rows)),
  );
  return Array.from(number, (x, n) => ({
    x,
    y: missing[n] > 1 ? null : dependence * x + Math.sqrt(1 - dependence ** 2) * noise[n],
    label: (dependence > 0.5 ? x : noise[n]) * missing[n] > 0 ? "yes" : "no",
  }));
}

it("the AUROC is scikit-learn's, with the standard error of DeLong over all pairs", () => {
  const result = auroc(Float64Array.from(golden.positive), Float64Array.from(golden.negative));
  expect(result.value).toBeCloseTo(golden.value, 12);
  expect(result.standardError).toBeCloseTo(golden.standardError, 12);
  expect(Array.from(midranks(Float64Array.from(golden.positive)))).toEqual(golden.midranks);
});

it("rows of the same distribution are told from real ones by chance only", () => {
  const { auroc, standardError, interval } = twoSample(mixedRows(300, 1, 0.9), mixedRows(300, 2, 0.9));
  expect(standardError).toBeLessThan(0.04);
  expect(Math.abs(auroc - 0.5)).toBeLessThan(3 * standardError);
  expect(interval[1] - interval[0]).toBeCloseTo(2 * 1.96 * standardError, 10);
});

it("the standard error is about the standard deviation over pairs of tables", () => {
  const results = Array.from({ length: 24 }, (_, k) =>
    twoSample(mixedRows(50, 2 * k, 0.9), mixedRows(100, 2 * k + 1, 0.9)),
  );
  const deviation = Math.sqrt(variance(results.map((result) => result.auroc)));
  const standardError = mean(results.map((result) => result.standardError));
  // Without the term for common training rows it would be 1.5 times as large.
  expect(deviation / standardError).toBeGreaterThan(0.7);
  expect(deviation / standardError).toBeLessThan(1.2);
});

it("a difference in dependence only, with equal distributions of single columns, is found", () => {
  const { auroc, detectionScore, columns } = twoSample(mixedRows(300, 1, 0.9), mixedRows(300, 2, 0));
  expect(auroc).toBeGreaterThan(0.7);
  expect(detectionScore).toBeCloseTo(2 * (1 - auroc), 12);
  expect(columns.map(({ name }) => name).sort()).toEqual(["label", "x", "y"]);
});

it("equal rows are in one fold, so that repeated rows are not recognized by their copies", () => {
  const twice = (rows: TableRow[]) => [...rows, ...rows];
  const { auroc, standardError } = twoSample(twice(mixedRows(150, 1, 0.9)), twice(mixedRows(150, 2, 0.9)));
  expect(Math.abs(auroc - 0.5)).toBeLessThan(0.1);
  expect(standardError).toBeGreaterThan(0);
});

/** A column with a number for each of these numbers of rows. */
const numberColumn = (counts: readonly number[]) => ({
  x: counts.flatMap((count, i) => new Array<number>(count).fill(Math.exp(i))),
});

it("each fold has rows of both tables, although half of the groups of equal rows have only rows of one", () => {
  const real = numberColumn([2, 2, 2, 2, 2, 6, 6, 6, 6, 6]);
  const generated = numberColumn([4, 4, 4, 4, 4]);
  for (let seed = 0; seed < 10; seed++)
    expect(twoSample(real, generated, { seed }).standardError).not.toBeNaN();
});

it("has no AUROC if all rows of a table are equal, because they are in one fold", () => {
  expect(twoSample(numberColumn(new Array(30).fill(1)), numberColumn([12])).auroc).toBeNaN();
});

it("refuses tables with too few rows, and tables without a column", () => {
  expect(() => twoSample(mixedRows(50, 1, 0), mixedRows(8, 2, 0))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: there are too few rows for a two-sample test: expected 10 generated rows or more, received 8.]`,
  );
  expect(() => twoSample(mixedRows(50, 1, 0), [{ x: 1, y: 2 }])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the table "generated" has no column "label": expected x, y, label, received x, y.]`,
  );
});

it.each([[[]], [{ x: [], y: [] }]])("refuses the table %j without rows", (empty) => {
  const rows = mixedRows(50, 1, 0);
  for (const [call, name] of [
    [() => trend(rows, empty), "generated"],
    [() => trend(empty, rows), "real"],
  ] as const) {
    const message = `the table "${name}" has no rows: expected at least 1 row.`;
    expect(call).toThrow(expect.objectContaining({ code: "DATA", message }));
  }
});
