import { expect, test } from "vitest";
import { pixelHistograms } from "../../src/evaluate/pixelHistograms.ts";

test("the probabilities of independent pixels add up to 1 over all images", () => {
  const training = { rows: 3, features: 2, values: Float64Array.of(0, 2, 0, 1, 1, 2) };
  const all = [0, 1, 2].flatMap((first) => [0, 1, 2].flatMap((second) => [first, second]));
  const logProb = pixelHistograms(training, { rows: 9, features: 2, values: Float64Array.from(all) }, 3);
  expect(logProb.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
  // The value 0 of the first pixel occurs twice in three images: (2 + 1) / (3 + 3). The value 2 of the second one, too.
  expect(logProb[2]).toBeCloseTo(2 * Math.log(1 / 2), 12);
});
