import { expect, test } from "vitest";
import { pixelHistograms } from "../../src/images/model/pixelHistograms.ts";
import { Random } from "../../src/random/index.ts";

test("the probabilities of independent pixels add up to 1 over all images", () => {
  const training = { rows: 3, features: 2, values: Float64Array.of(0, 2, 0, 1, 1, 2) };
  const all = [0, 1, 2].flatMap((first) => [0, 1, 2].flatMap((second) => [first, second]));
  const logProb = pixelHistograms(training, { rows: 9, features: 2, values: Float64Array.from(all) }, 3);
  expect(logProb.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
  // Each pixel has two values in 2 and 1 of 3 images, and all values are equally frequent. Of the weights, 1000 has the highest likelihood.
  expect(logProb[2]).toBeCloseTo(2 * Math.log((2 + 1000 / 3) / 1003), 12);
});

test("few images have nearly the probabilities of their pixels", () => {
  const random = new Random(1);
  const images = (rows: number, name: string) => ({
    rows,
    features: 64,
    values: random
      .split(name)
      .uniform(new Float64Array(64 * rows))
      .map((u) => +(u < 0.5)),
  });
  const logProb = pixelHistograms(images(50, "training"), images(20, "test"), 256);
  const bits = -logProb.reduce((sum, value) => sum + value, 0) / (20 * 64 * Math.LN2);
  expect(bits).toBeGreaterThan(1);
  expect(bits).toBeLessThan(1.03);
  const equal = { rows: 50, features: 64, values: new Float64Array(64 * 50).fill(7) };
  expect(Math.min(...pixelHistograms(equal, equal, 256))).toBeGreaterThan(-0.5);
});
