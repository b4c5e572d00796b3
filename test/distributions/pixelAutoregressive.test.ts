import { describe, expect, test } from "vitest";
import {
  PixelAutoregressive,
  type PixelAutoregressiveOptions,
} from "../../src/distributions/pixelAutoregressive.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, logProb } from "./evaluate.ts";

const VALUES = 3;

const build = (options: Partial<PixelAutoregressiveOptions>): PixelAutoregressive => {
  const model = new PixelAutoregressive(
    {
      image: [2, 2, 1],
      values: VALUES,
      components: 2,
      transformer: { width: 4, layers: 1, heads: 2 },
      network: { width: 6 },
      ...options,
    },
    new Random(0),
  );
  perturb(parametersOf(model), 0.5);
  return model;
};

/** All images of four numbers. */
const ALL = Float64Array.from(
  { length: 4 * VALUES ** 4 },
  (_, i) => Math.floor(Math.floor(i / 4) / VALUES ** (i % 4)) % VALUES,
);

const cases = {
  "a gray image": build({ atoms: 1 }),
  "an image with channels": build({ image: [1, 2, 2], atoms: 2 }),
  "a high image with a context": build({ image: [4, 1, 1], context: 2, radius: 1 }),
};

describe.each(Object.entries(cases))("%s", (_, model) => {
  test("has probabilities that sum to 1, with which it is sampled", async () => {
    const probability = (await logProb(model, ALL)).map(Math.exp);
    expect(probability.reduce((sum, p) => sum + p)).toBeCloseTo(1, 10);
    const N = 5000;
    const rows = Float64Array.from(await draw(model, N));
    const counts = new Float64Array(probability.length);
    for (let row = 0; row < N; row++) {
      const image = rows.subarray(4 * row, 4 * row + 4);
      counts[image.reduce((sum, value, i) => sum + value * VALUES ** i, 0)] += 1;
    }
    // Pearson's statistic has mean 80 and standard deviation sqrt(160) = 12.6.
    const statistic = probability.reduce((sum, p, i) => sum + (counts[i] - N * p) ** 2 / (N * p), 0);
    expect(statistic).toBeLessThan(80 + 4 * 12.6);
  });
});

test("samples of temperature 0 are all the same, and those of temperature 1 are not", async () => {
  const model = build({});
  const distinct = async (temperature: number) => {
    const rows = await draw(model.atTemperature(temperature), 50);
    return new Set(Array.from({ length: 50 }, (_, row) => rows.subarray(4 * row, 4 * row + 4).join())).size;
  };
  expect(await distinct(0)).toBe(1);
  expect(await distinct(1)).toBeGreaterThan(5);
});

test("the atoms are the most frequent values of the training data", () => {
  const model = build({ values: 256, atoms: 3 });
  const rows = [7, 0, 255, 0, 255, 255, 9, 9].flatMap((value, i) => [value, 0, i, 9]);
  model.fitToData({ values: Float64Array.from(rows), rows: 8, features: 4 } as never);
  expect([...model.pixel.atoms.value]).toEqual([0, 9, 255]);
  // A row of weight 5 counts as five rows.
  const values = Float64Array.of(1, 1, 1, 1, 2, 3, 4, 4);
  model.fitToData({ values, rows: 2, features: 4, weights: Float64Array.of(1, 5) });
  expect([...model.pixel.atoms.value]).toEqual([2, 3, 4]);
});

test("refuses options that are not valid", () => {
  expect(() => build({ atoms: 4 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an autoregressive distribution of pixels is not valid at atoms: expected no more than \`values\`, received 4.]`,
  );
  expect(() => build({ radius: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an autoregressive distribution of pixels is not valid at radius: expected more than 0, received 0.]`,
  );
});
