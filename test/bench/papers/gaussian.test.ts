import { expect, test } from "vitest";
import { gaussianLogDensity } from "../../../bench/papers/gaussian.ts";
import { crossValidationFolds, selectRows, zScored } from "../../../bench/papers/rows.ts";
import { mean } from "../../../bench/papers/statistics.ts";
import { Random } from "../../../src/random/index.ts";

test("the mean log-density of the training rows is -(D (1 + log 2 pi) + log |S|) / 2", () => {
  const noise = new Random(1).normal(new Float64Array(3000));
  // Rows (a, a + b / 2, c) with S = [[1, 1, 0], [1, 1.25, 0], [0, 0, 1]]; the test uses the sample covariance.
  const values = noise.map((z, i) => (i % 3 === 1 ? noise[i - 1] + z / 2 : z));
  const column = (d: number) => values.filter((_, i) => i % 3 === d);
  const covariance = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => {
      const [x, y] = [column(i), column(j)];
      return mean(x.map((value, k) => (value - mean(x)) * (y[k] - mean(y))));
    }),
  );
  const [[a, b, c], [, d, e], [, , f]] = covariance;
  const determinant = a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c);
  const rows = { features: 3, values };
  const expected = -(3 * (1 + Math.log(2 * Math.PI)) + Math.log(determinant)) / 2;
  expect(mean(gaussianLogDensity(rows, rows))).toBeCloseTo(expected, 10);
});

test("ten-fold cross-validation of z-scored Gaussian rows is near -(D (1 + log 2 pi) + log |R|) / 2", () => {
  // The correlation is 0.8, so |R| = 0.36; z-scoring removes the scales.
  const noise = new Random(2).normal(new Float64Array(4000));
  const values = noise.map((z, i) => (i % 2 === 0 ? 50 + 10 * z : 0.8 * noise[i - 1] + 0.6 * z));
  const rows = { features: 2, values };
  const scores = crossValidationFolds(2000, 10, 0).map((split) => {
    const [train, test] = zScored(selectRows(rows, split.train), selectRows(rows, split.test));
    return mean(gaussianLogDensity(train, test));
  });
  expect(mean(scores)).toBeCloseTo(-(1 + Math.log(2 * Math.PI) + Math.log(0.6)), 1);
});

test("a linearly dependent column is an error", () => {
  const rows = { features: 2, values: Float64Array.of(0, 0, 1, 1, 2, 2) };
  expect(() => gaussianLogDensity(rows, rows)).toThrow("The covariance is singular at column 1.");
});
