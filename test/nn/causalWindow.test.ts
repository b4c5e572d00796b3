import { expect, test } from "vitest";
import { CausalWindow } from "../../src/nn/causalWindow.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";

const [HEIGHT, FEATURES, NUMBERS] = [4, 5, 2];
const options = { features: FEATURES, encodedSize: NUMBERS, rows: 2, radius: 1, left: 3 };
const window = new CausalWindow(options);
const image = new Random(1).uniform(new Float64Array(HEIGHT * FEATURES * NUMBERS));

/** The numbers of a feature, zeros outside of the image. */
const at = (row: number, feature: number): number[] => {
  const inside = row >= 0 && feature >= 0 && feature < FEATURES;
  const start = (row * FEATURES + feature) * NUMBERS;
  return inside ? [...image.subarray(start, start + NUMBERS)] : new Array(NUMBERS).fill(0);
};

const above = (row: number, feature: number) =>
  [-2, -1].flatMap((up) => [-1, 0, 1].flatMap((side) => at(row + up, feature + side)));
const left = (row: number, feature: number) => [-3, -2, -1].flatMap((side) => at(row, feature + side));

const everywhere = (window: (row: number, feature: number) => number[]) =>
  Array.from({ length: HEIGHT * FEATURES }, (_, i) => window(Math.floor(i / FEATURES), i % FEATURES)).flat();

test("the window of a feature has the features near it in the rows above and to the left", async () => {
  const run = compile((x) => window.apply(x), [["N", HEIGHT, FEATURES, NUMBERS]], { precision: "float64" });
  expect([...(await run(image))]).toEqual(
    everywhere((row, feature) => [...above(row, feature), ...left(row, feature)]),
  );
  expect(window.size).toBe((2 * 3 + 3) * NUMBERS);
});

test("the rows above a row are enough for the upper part of its windows", async () => {
  const run = compile((x) => window.above(x), [["N", 2, FEATURES, NUMBERS]], { precision: "float64" });
  const rows = image.subarray(0, 2 * FEATURES * NUMBERS);
  expect([...(await run(rows))]).toEqual(
    Array.from({ length: FEATURES }, (_, feature) => above(2, feature)).flat(),
  );
});
