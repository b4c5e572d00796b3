import { expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { controlTables, precisionCoverage, privacy, withControls } from "../../src/tables/evaluate/index.ts";
import golden from "./golden/neighbors.json" with { type: "json" };

it("precision, recall, density and coverage are those of scikit-learn's neighbors with Gower's distance", () => {
  const result = precisionCoverage(golden.real, golden.generated);
  for (const key of ["precision", "recall", "density", "coverage"] as const)
    expect(result[key]).toBeCloseTo(golden[key], 12);
});

it("finds copied rows, and the distances to the closest training rows", () => {
  const { generated } = privacy(golden.real, golden.real, golden.generated);
  for (const key of ["copies", "median", "low"] as const) expect(generated[key]).toBeCloseTo(golden[key], 12);
});

/** Rows on a curve, which has no copies, with a label. */
const curve = (rows: number, seed: number) => {
  const noise = new Random(seed).normal(new Float64Array(3 * rows));
  return Array.from({ length: rows }, (_, n) => ({
    x: noise[3 * n],
    y: noise[3 * n] ** 2 + 0.1 * noise[3 * n + 1],
    label: noise[3 * n + 2] > 0 ? "a" : "b",
  }));
};

it("controls show what copies and rows without dependence would score", () => {
  const [training, heldOut, generated] = [1, 2, 3].map((seed) => curve(300, seed));
  const controls = { generated, ...controlTables(training, { rows: 200 }) };
  const distance = withControls(controls, (rows) => privacy(training, heldOut, rows));
  expect(distance.copied.generated.copies).toBe(1);
  expect(distance.copied.closer).toBeGreaterThan(0.95);
  expect(Math.abs(distance.generated.closer - 0.5)).toBeLessThan(3 * distance.generated.closerStandardError);
  expect(distance.generated.heldOut).toEqual(distance.shuffled.heldOut);
  const { copied, shuffled } = withControls(controls, (rows) => precisionCoverage(heldOut, rows));
  expect(copied.precision).toBeGreaterThan(0.9);
  expect(shuffled.precision).toBeLessThan(0.7);
});

it("shuffled columns keep the values of each column, and copies are rows of the table", () => {
  const training = curve(50, 1);
  const { copied, shuffled } = controlTables(training);
  const sorted = (rows: object) => (rows as typeof training).map(({ x }) => x).sort();
  expect(sorted(shuffled)).toEqual(sorted(training));
  expect((copied as typeof training).every((row) => training.includes(row))).toBe(true);
  expect(privacy(training, training, shuffled).generated.copies).toBeLessThan(0.2);
});

it("refuses tables with fewer rows than neighbors", () => {
  expect(() => precisionCoverage(curve(5, 1), curve(9, 2))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: there are too few rows for 5 nearest neighbors: expected 6 rows or more in each table, received 5.]`,
  );
});
