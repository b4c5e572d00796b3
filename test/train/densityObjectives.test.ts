import { describe, expect, it } from "vitest";
import { Identity } from "../../src/bijections/index.ts";
import { DiagonalNormal } from "../../src/distributions/index.ts";
import { Flow, realNVP } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { scalar, stack, type Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { renyiBound } from "../../src/train/densityObjectives.ts";
import { fitDensity, type TargetDensity } from "../../src/train/index.ts";
import { gaussian, twoModes } from "./targets.ts";

const CORRELATION = 0.8;
/** A normal distribution with standard deviations 1 and this correlation. */
const correlated = gaussian([0, 0], [1, CORRELATION, Math.sqrt(1 - CORRELATION ** 2)]);
const options = { optimizer: { learningRate: 0.02 }, steps: 600, threads: 1, samples: 2000 } as const;

/** A normal distribution without correlations, which cannot represent `correlated`. */
const diagonal = () => new Flow(new DiagonalNormal({ features: 2 }), new Identity({ features: 2 }));

/** The standard deviation of the fitted `diagonal` flow: the geometric mean over both columns. */
async function fittedDeviation(objective: NonNullable<Parameters<typeof fitDensity>[2]>["objective"]) {
  const flow = diagonal();
  const { samples } = await fitDensity(flow, correlated as TargetDensity, {
    ...options,
    ...(objective && { objective }),
  });
  const deviationOf = (column: number) => {
    const values = samples.filter((_, k) => k % 2 === column);
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  };
  return Math.sqrt(deviationOf(0) * deviationOf(1));
}

describe("a normal distribution without correlations that is fitted to one with a correlation", () => {
  it("has the conditional standard deviations for the reverse divergence, and the marginal ones for the forward divergence", async () => {
    expect(await fittedDeviation({ type: "reverseKL" })).toBeCloseTo(Math.sqrt(1 - CORRELATION ** 2), 1);
    expect(await fittedDeviation({ type: "forwardKL" })).toBeCloseTo(1, 1);
  });

  it("is wider, the smaller alpha is", async () => {
    const deviations = [
      await fittedDeviation({ type: "renyi", alpha: 0.9 }),
      await fittedDeviation({ type: "renyi", alpha: 0.5 }),
      await fittedDeviation({ type: "renyi" }),
    ];
    expect(deviations[0]).toBeGreaterThan(0.6);
    expect(deviations[1]).toBeGreaterThan(deviations[0] + 0.02);
    expect(deviations[2]).toBeGreaterThan(deviations[1] + 0.02);
    expect(deviations[2]).toBeLessThan(1.3);
  });
});

/** The gradient of a bound with respect to the log-deviation of q = N(0, s^2) for p~ = N(0, 1), for each of n rows of K normal numbers. */
async function gradients(alpha: number, logDeviation: number, held: boolean, n: number, samples: number) {
  const compiled = compile(
    (noise: Tensor, logScale: Tensor) => {
      const x = noise.mul(logScale.exp());
      const logScaleOfQ = held ? logScale.stopGradient() : logScale;
      const logQ = x.mul(logScaleOfQ.neg().exp()).square().mul(-0.5).sub(logScaleOfQ);
      const logWeights = x.square().mul(-0.5).sub(logQ);
      const bound = held
        ? renyiBound(logWeights, alpha)
        : logWeights
            .mul(1 - alpha)
            .logsumexp(1)
            .sub(Math.log(samples))
            .div(1 - alpha);
      return { bound, gradient: grad(bound.sum(), [logScale])[0] };
    },
    [
      ["N", samples],
      ["N", 1],
    ],
    { precision: "float64" },
  );
  const noise = new Random(1).normal(new Float64Array(n * samples));
  const { bound, gradient } = await compiled(noise, new Float64Array(n).fill(logDeviation));
  await compiled.release();
  const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / n;
  const mean = meanOf(gradient);
  const variance = meanOf(Array.from(gradient, (g) => (g - mean) ** 2));
  return { bound: meanOf(bound), mean, error: Math.sqrt(variance / n), variance };
}

describe("the Renyi bound", () => {
  it.each([0, 0.3, 0.8])(
    "has a gradient with the right expectation and less noise, for alpha %s",
    async (alpha) => {
      const [doubly, plain] = [true, false].map((held) => gradients(alpha, 0.4, held, 20_000, 5));
      const [a, b] = [await doubly!, await plain!];
      expect(a.bound).toBeCloseTo(b.bound, 10);
      expect(Math.abs(a.mean - b.mean)).toBeLessThan(4 * Math.hypot(a.error, b.error));
      expect(Math.abs(b.mean)).toBeGreaterThan(20 * b.error);
      expect(a.variance).toBeLessThan(b.variance);
    },
  );

  it("has a gradient of 0 for every draw if the flow equals the density", async () => {
    const { mean, variance, bound } = await gradients(0.3, 0, true, 100, 5);
    expect([mean, variance, bound]).toEqual([
      expect.closeTo(0, 12),
      expect.closeTo(0, 12),
      expect.closeTo(0, 12),
    ]);
  });

  it("is a mean of log-weights near alpha = 1, and the importance-weighted bound for alpha = 0", async () => {
    const logWeights = [-1, 0.5, 2];
    const compiled = compile(
      (w: Tensor) => stack([renyiBound(w, 0), renyiBound(w, 1 - 1e-7)], 1),
      [["N", 3]],
      { precision: "float64" },
    );
    const [weighted, mean] = await compiled(Float64Array.from(logWeights));
    await compiled.release();
    expect(weighted).toBeCloseTo(Math.log(logWeights.reduce((sum, w) => sum + Math.exp(w), 0) / 3), 10);
    expect(mean).toBeCloseTo(0.5, 5);
  });
});

it("the forward divergence keeps both modes that the flow covers at the start", async () => {
  const flow = realNVP(2, { hidden: [16, 16], transforms: 4 });
  const { logNormalizer } = await fitDensity(flow, twoModes(2) as TargetDensity, {
    ...options,
    objective: { type: "forwardKL" },
    optimizer: { learningRate: 5e-3 },
    batchSize: 512,
  });
  expect(Math.abs(logNormalizer)).toBeLessThan(0.05);
});

it("sticking the landing belongs to the reverse divergence", async () => {
  const fit = fitDensity(diagonal(), () => scalar(0), {
    objective: { type: "forwardKL" },
    stickTheLanding: true,
  });
  await expect(fit).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: stickTheLanding applies only to the objective reverseKL: expected the objective reverseKL, received forwardKL.
    Leave it out: the gradient of renyi has no such part, and forwardKL has no gradient through samples.]
  `);
});
