import { expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import type { ComparedRows } from "../../src/tables/evaluate/comparedRows.ts";
import { fitBoostedTrees, type Target } from "../../src/tables/evaluate/trees/boostedTrees.ts";
import golden from "./golden/boosted-trees.json" with { type: "json" };

const numbers = (values: readonly (number | null)[]) =>
  Float64Array.from(values, (value) => value ?? Number.NaN);
const columns = golden.x.map(numbers);
const rowsOf = (from: number, to: number): ComparedRows => ({
  rows: to - from,
  columns: columns.map((values, c) => ({ name: `x${c}`, labels: undefined, values: values.slice(from, to) })),
});
const { number, two, three } = golden.targets;

it.each([
  ["a numeric target", "number", { kind: "number", values: Float64Array.from(number.slice(0, 300)) }],
  ["two classes", "two", { kind: "class", classes: 2, values: two.slice(0, 300) }],
  ["three classes", "three", { kind: "class", classes: 3, values: three.slice(0, 300) }],
] as const)("trees predict %s as scikit-learn's do", (_, name, target: Target) => {
  const { predict } = fitBoostedTrees(rowsOf(0, 300), target, { iterations: golden.iterations[name] });
  predict(rowsOf(300, 320)).forEach((predictions, k) => {
    predictions.forEach((value, row) => {
      // scikit-learn's gradients are float32.
      expect(Math.abs(value - golden.predictions[name][k][row])).toBeLessThan(1e-6);
    });
  });
});

it("splits labels into groups, wherever they are in the order of labels, and sees their interaction", () => {
  const rows = 400;
  const draw = (label: string) =>
    Array.from(new Random(0).split(label).uniform(new Float64Array(rows)), (u) => Math.floor(6 * u));
  const [first, second] = [draw("first"), draw("second")];
  const labels = ["a", "b", "c", "d", "e", "f"];
  const column = (name: string, values: number[]) => ({ name, labels, values: Float64Array.from(values) });
  const classes = first.map((value, row) => (value + second[row]) % 2);
  const features = { rows, columns: [column("first", first), column("second", second)] };
  const { predict, importance } = fitBoostedTrees(features, { kind: "class", classes: 2, values: classes });
  const [, probabilities] = predict(features);
  expect(classes.every((each, row) => probabilities[row] > 0.5 === (each === 1))).toBe(true);
  expect(importance.reduce((sum, each) => sum + each)).toBeCloseTo(1, 12);
});
