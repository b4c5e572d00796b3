import { expect, test } from "vitest";
import { linearGaussian } from "../../../bench/papers/linearGaussian.ts";
import { mean } from "../../../bench/papers/statistics.ts";
import { Random } from "../../../src/random/index.ts";

test("linearGaussian equals least squares with the variance of the residuals", () => {
  const noise = new Random(3).normal(new Float64Array(400));
  const x = noise.filter((_, i) => i % 2 === 0);
  const y = x.map((value, i) => 2 + 3 * value + 0.5 * noise[2 * i + 1]);
  const centre = mean(x);
  const slope = mean(x.map((v, i) => (v - centre) * y[i])) / mean(x.map((v) => (v - centre) ** 2));
  const intercept = mean(y) - slope * centre;
  const variance = mean(y.map((v, i) => (v - intercept - slope * x[i]) ** 2));
  const training = { rows: { features: 1, values: y }, context: { features: 1, values: x } };
  const point = {
    rows: { features: 1, values: Float64Array.of(1) },
    context: { features: 1, values: Float64Array.of(0.5) },
  };
  const expected =
    -0.5 * Math.log(2 * Math.PI * variance) - (1 - intercept - slope * 0.5) ** 2 / (2 * variance);
  expect(linearGaussian(training, point)[0]).toBeCloseTo(expected, 4);
});

test("a linearly dependent input does not change the density", () => {
  const x = new Random(4).normal(new Float64Array(100));
  const y = { features: 1, values: x.map((v, i) => v + Math.sin(i)) };
  const doubled = { features: 2, values: Float64Array.from(Array.from(x).flatMap((v) => [v, 2 * v])) };
  const single = { rows: y, context: { features: 1, values: x } };
  const double = { rows: y, context: doubled };
  expect(mean(linearGaussian(double, double))).toBeCloseTo(mean(linearGaussian(single, single)), 5);
});
