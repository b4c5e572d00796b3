import { describe, expect, it } from "vitest";
import { Permutation } from "../../src/bijections/permutation.ts";
import { DiagonalNormal } from "../../src/distributions/diagonalNormal.ts";
import { StandardNormal } from "../../src/distributions/standardNormal.ts";
import { dequantize, Flow, nsf, vae } from "../../src/flows/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { normalQuantile } from "../../src/inference/sampling/normalQuantile.ts";
import { Random } from "../../src/random/index.ts";
import { fitDensity, importance } from "../../src/train/index.ts";
import { paretoShape } from "../../src/train/paretoShape.ts";
import { perturb } from "../nn/perturb.ts";
import golden from "./golden/paretoShape.json" with { type: "json" };

const standard = () => new Flow(new StandardNormal({ features: 1 }), new Permutation({ order: [0] }));
/** exp(2) N(0, sigma^2) of one variable. */
const narrow = (sigma: number) => (x: Tensor) =>
  x
    .div(sigma)
    .square()
    .sum(1)
    .mul(-0.5)
    .add(2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI));

// For these numbers of weights the quartile of the tail is at other places than the first quarter of it, rounded up.
it.each([25, 45, 65, 105])("weights of which many are equal have no tail, for %s weights", (n) => {
  const count = Math.ceil(Math.min(n / 5, 3 * Math.sqrt(n)));
  const tied = Float64Array.from({ length: n }, (_, i) => (i < n - count + Math.floor(count / 4) ? 0 : i));
  expect(paretoShape(tied)).toBe(0);
});

it("weights that are 0 beside a few of them have an infinite shape", () => {
  const logWeights = Float64Array.from({ length: 1000 }, (_, i) => -5 * i);
  expect(paretoShape(logWeights)).toBeGreaterThan(1);
  expect(paretoShape(logWeights.map((weight) => 40 * weight))).toBe(Number.POSITIVE_INFINITY);
  expect(paretoShape(new Float64Array(1000))).toBe(0);
});

describe("importance", () => {
  it.each([1, 2.5])("of %s samples is an error", async (n) => {
    await expect(importance(standard(), narrow(1), n)).rejects.toThrow(
      `the number of samples is not valid: expected 2, 3, 4, ..., received ${n}.`,
    );
  });

  it.each(["float32", "float64"] as const)(
    "of a narrower normal has closed forms, in %s",
    async (precision) => {
      const sigma = 0.7;
      const n = 200_000;
      const result = await importance(standard(), narrow(sigma), n, { seed: 5, precision });
      expect(Math.abs(result.logNormalizer - 2)).toBeLessThan(4 * result.logNormalizerError);
      const divergence = 0.5 / sigma ** 2 - 0.5 + Math.log(sigma);
      expect(Math.abs(result.elbo - (2 - divergence))).toBeLessThan(4 * result.standardError);
      // Var of (1 - 1 / sigma^2) z^2 / 2 is half the square of the factor.
      expect(result.standardError * Math.sqrt(n)).toBeCloseTo(Math.SQRT1_2 * (1 / sigma ** 2 - 1), 1);
      // E_q[(p / q)^2] = 1 / (sigma sqrt(2 - sigma^2))
      expect(result.effectiveSampleSize / n).toBeCloseTo(sigma * Math.sqrt(2 - sigma ** 2), 2);
      expect(result.logWeights.reduce((sum, weight) => sum + Math.exp(weight), 0)).toBeCloseTo(1, 9);
      const variance = result.samples.reduce((sum, x, i) => sum + x * x * Math.exp(result.logWeights[i]), 0);
      expect(variance).toBeCloseTo(sigma ** 2, 2);
    },
  );

  it("draws from a conditional flow with a fixed context", async () => {
    const base = new DiagonalNormal({ features: 1, context: 1, network: { hidden: [] } });
    const flow = new Flow(base);
    perturb(flow.parameters(), 0.3);
    const result = await importance(flow.withContext([0.8]), narrow(0.7), 20_000, { precision: "float64" });
    expect(Math.abs(result.logNormalizer - 2)).toBeLessThan(4 * result.logNormalizerError);
    expect(result.samples).toEqual(await flow.sample(20_000, { context: [0.8], precision: "float64" }));
    await expect(importance(flow, narrow(0.7), 100)).rejects.toThrow("the flow needs a context");
  });

  it("needs a flow", async () => {
    const wrong = new StandardNormal({ features: 1 }) as unknown as Flow;
    await expect(importance(wrong, narrow(1), 100)).rejects.toThrow(
      "the argument of importance is not a flow: expected a Flow, received a StandardNormal.",
    );
    const fixed = new Flow(new DiagonalNormal({ features: 1, context: 1 })).withContext([0]);
    await expect(fitDensity(fixed as unknown as Flow, narrow(1))).rejects.toThrow(
      "the argument of fitDensity is not a flow: expected a Flow, received a ConditionedFlow.",
    );
  });

  it("needs an exact density", async () => {
    const integers = dequantize(nsf(1, { transforms: 1, hidden: [4] }), { values: 3 });
    const expected = "the log-density of the flow is only a lower bound";
    await expect(importance(integers, narrow(1), 100)).rejects.toThrow(expected);
    await expect(fitDensity(integers, narrow(1))).rejects.toThrow(expected);
    await expect(importance(vae(1, { latent: 1, hidden: [4] }), narrow(1), 100)).rejects.toThrow(expected);
  });

  it("is exact for the density of the flow", async () => {
    const result = await importance(standard(), narrow(1), 2000, { precision: "float64" });
    expect(result.logNormalizer).toBeCloseTo(2, 9);
    expect(result.logNormalizerError).toBeLessThan(1e-6);
    expect(result.effectiveSampleSize).toBeCloseTo(2000, 6);
  });

  it("estimates the standard error of log Z correctly", async () => {
    const errors: number[] = [];
    const deviations: number[] = [];
    for (let seed = 0; seed < 200; seed++) {
      const { logNormalizer, logNormalizerError } = await importance(standard(), narrow(0.6), 400, { seed });
      errors.push(logNormalizerError);
      deviations.push((logNormalizer - 2) ** 2);
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(Math.sqrt(mean(deviations)) / mean(errors)).toBeGreaterThan(0.85);
    expect(Math.sqrt(mean(deviations)) / mean(errors)).toBeLessThan(1.15);
  });

  it("gives samples outside the support the weight 0", async () => {
    const half = (x: Tensor) => x.sum(1).greater(0).where(narrow(1)(x), Number.NEGATIVE_INFINITY);
    const result = await importance(standard(), half, 20_000);
    result.logWeights.forEach((weight, i) => {
      expect(weight === Number.NEGATIVE_INFINITY).toBe(result.samples[i] <= 0);
    });
    expect(result.elbo).toBe(Number.NEGATIVE_INFINITY);
    expect(result.standardError).toBe(Number.POSITIVE_INFINITY);
    expect(result.logNormalizer).toBeCloseTo(2 - Math.log(2), 1);
    expect(result.effectiveSampleSize).toBeCloseTo(result.samples.filter((x) => x > 0).length, 1);
  });

  it("throws for results without meaning, and says whether the flow or the density is the cause", async () => {
    const nowhere = (x: Tensor) => x.sum(1).mul(0).add(Number.NEGATIVE_INFINITY);
    await expect(importance(standard(), nowhere, 10)).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the log-density is -Infinity for all samples of the flow: expected a finite log-density of at least one sample, received -Infinity for all 10 samples.
      Give a flow whose samples lie where the density is positive, for example by the location and scale of its base.]
    `,
    );
    await expect(importance(standard(), narrow(1), 0)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of samples is not valid: expected 2, 3, 4, ..., received 0.]`,
    );
    await expect(
      importance(standard(), (x) => x.sum(1).sub(100).sqrt(), 10),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the log-density is not finite at x = (-0.6637): expected a finite number, received NaN.
      Return -Infinity where the density is 0, and a finite number elsewhere.]
    `,
    );
    await expect(importance(standard(), (x) => x, 10)).rejects.toMatchObject({ code: "SHAPE" });
    const scale = new Parameter([], [Number.NaN]);
    const identity = new Permutation({ order: [0] });
    const broken = Object.assign(new Permutation({ order: [0] }), {
      scale,
      forward: (z: Tensor) => ({ ...identity.forward(z), value: z.mul(scale) }),
    });
    const flow = new Flow(new StandardNormal({ features: 1 }), broken);
    await expect(importance(flow, narrow(1), 10)).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow is not finite at x = (NaN): expected a finite number, received -1.139183759689331.
      Fit the flow again, with a smaller learning rate.]
    `,
    );
  });
});

describe("paretoShape", () => {
  it.each([0.2, 0.5, 1])("estimates the exponent of weights U^-%f", (k) => {
    const logWeights = new Random(3).uniform(new Float64Array(100_000)).map((u) => -k * Math.log(u));
    expect(Math.abs(paretoShape(logWeights) - k)).toBeLessThan(0.1);
  });

  it.each(
    golden.map(
      (each) => [`${each.n} weights of the family ${each.family}, ${each.parameter}`, each] as const,
    ),
  )("equals that of the R package loo for %s", (_, { family, n, parameter, k }) => {
    const even = Float64Array.from({ length: n }, (_, i) => ((i + 1) * 0.6180339887498949) % 1);
    const logWeights = even.map((u) =>
      family === "pareto" ? -parameter * Math.log(u) : 0.5 * normalQuantile(u) ** 2 * (1 - parameter ** 2),
    );
    // The quantile function has an error of 1e-9.
    expect(Math.abs(paretoShape(logWeights) - k)).toBeLessThan(family === "pareto" ? 1e-9 : 1e-6);
  });

  it("is below 0 for bounded weights of any scale", () => {
    const weights = new Random(4).uniform(new Float64Array(10_000));
    const shape = paretoShape(weights.map(Math.log));
    expect(shape).toBeLessThan(-0.5);
    expect(paretoShape(weights.map((w) => Math.log(w) + 900))).toBeCloseTo(shape, 9);
  });

  it("is 0 for equal weights, and NaN for few weights", () => {
    expect(paretoShape(new Float64Array(1000).fill(-7))).toBe(0);
    expect(paretoShape(new Float64Array(20).map((_, i) => i))).toBeNaN();
    expect(paretoShape(new Float64Array(21).map((_, i) => i))).not.toBeNaN();
  });
});
