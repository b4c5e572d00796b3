import { describe, expect, it } from "vitest";
import { Invert } from "../../src/bijections/invert.ts";
import { LULinear } from "../../src/bijections/luLinear.ts";
import { Permutation } from "../../src/bijections/permutation.ts";
import { DiagonalNormal, GaussianMixture, StandardNormal } from "../../src/distributions/index.ts";
import { Flow, iaf, madeFlow, nsf, realNVP } from "../../src/flows/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { fitDensity } from "../../src/train/index.ts";
import { banana, gaussian, twoModes } from "./targets.ts";

const small = { hidden: [32, 32], transforms: 3 };
const quick = { optimizer: { learningRate: 5e-3 }, threads: 1 } as const;
/** x = z L U + b, which can represent every Gaussian. */
const affine = () => new Flow(new StandardNormal({ features: 2 }), new Invert(new LULinear({ features: 2 })));
const fast = { optimizer: { learningRate: 0.02 }, steps: 1500, threads: 1 } as const;
const weightsOf = (flow: Flow) => [...flow.parameters().values()].flatMap((p) => Array.from(p.value));
const column = (rows: Float64Array, i: number) => rows.filter((_, k) => k % 2 === i);
const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

describe("a Gaussian", () => {
  const [a, b, c] = [0.5, -0.8, 0.3];
  const target = gaussian([1, -2], [a, b, c], 3);

  it("is fitted by an affine flow, whose divergence has a closed form", async () => {
    const flow = affine();
    await fitDensity(flow, target, fast);
    const [x0, x1, y0, y1, z0, z1] = await flow.toData([0, 0, 1, 0, 0, 1]);
    // u = L^-1 (x - mean) of the target is M z + d for a standard normal z.
    const whiten = ([x, y]: number[]) => [x / a, (y - (b * x) / a) / c];
    const columns = [whiten([y0 - x0, y1 - x1]), whiten([z0 - x0, z1 - x1])];
    const d = whiten([x0 - 1, x1 + 2]);
    const trace = [...columns, d].flat().reduce((sum, value) => sum + value * value, 0);
    const determinant = columns[0][0] * columns[1][1] - columns[0][1] * columns[1][0];
    const divergence = 0.5 * (trace - 2) - Math.log(Math.abs(determinant));
    expect(divergence).toBeLessThan(1e-3);
    expect(divergence).toBeGreaterThanOrEqual(-1e-6);
  });

  it.each([
    ["realNVP", () => realNVP(2, small)],
    ["iaf", () => iaf(2, small)],
    ["nsf in couplings", () => nsf(2, { ...small, kind: "coupling" })],
  ] as const)("is fitted by %s, with the correct normalizer", async (_, build) => {
    // With this number of samples, an estimate of a divergence of 1e-3 has an error of 2e-4.
    const samples = 40_000;
    const result = await fitDensity(build(), target, { ...quick, steps: 1500, batchSize: 512, samples });
    expect(3 - result.elbo).toBeLessThan(1e-3);
    expect(Math.abs(result.logNormalizer - 3)).toBeLessThan(4 * result.logNormalizerError + 1e-5);
    expect(result.effectiveSampleSize).toBeGreaterThan(0.995 * samples);
    expect(mean(column(result.samples, 0))).toBeCloseTo(1, 1);
    expect(mean(column(result.samples, 1))).toBeCloseTo(-2, 1);
    expect(result.stopped).toBe("steps");
  });
});

describe("other shapes", () => {
  it("realNVP fits a banana", async () => {
    const { elbo, logNormalizer, logNormalizerError, ...result } = await fitDensity(
      realNVP(2, small),
      banana,
      {
        ...quick,
        steps: 1500,
      },
    );
    expect(elbo).toBeGreaterThan(-5e-3);
    expect(Math.abs(logNormalizer)).toBeLessThan(4 * logNormalizerError);
    expect(result.effectiveSampleSize).toBeGreaterThan(9800);
    expect(result.warnings).toEqual([]);
    expect(mean(column(result.samples, 1))).toBeCloseTo(0, 1);
  });

  it("two distant modes need annealing: without it, one is lost and log Z is too small", async () => {
    const options = { ...quick, steps: 1000, seed: 1 };
    const build = () => realNVP(2, { hidden: [32, 32] });
    const single = await fitDensity(build(), twoModes(4), options);
    expect(single.logNormalizer).toBeCloseTo(-Math.log(2), 2);
    const both = await fitDensity(build(), twoModes(4), { ...options, annealing: { steps: 700 } });
    expect(both.logNormalizer).toBeCloseTo(0, 1);
    const right = column(both.samples, 0).filter((x) => x > 0).length / 10_000;
    expect(Math.abs(right - 0.5)).toBeLessThan(0.2);
  });
});

describe("gradients", () => {
  it("sticking the landing has no gradient if the flow equals the density, unlike the plain gradient", async () => {
    const standard = (x: Tensor) => x.square().sum(1).mul(-0.5);
    const divergenceOf = async (stickTheLanding: boolean) => {
      const flow = realNVP(2, small);
      const before = weightsOf(flow);
      const { elbo, standardError } = await fitDensity(flow, standard, {
        ...quick,
        steps: 20,
        stickTheLanding,
      });
      const moved = weightsOf(flow).reduce((sum, w, i) => sum + (w - before[i]) ** 2, 0);
      // log p - log q is the same for all x only if q equals p.
      return { moved, divergence: Math.log(2 * Math.PI) - elbo, spread: standardError };
    };
    const [stuck, plain] = [await divergenceOf(true), await divergenceOf(false)];
    expect(stuck.divergence).toBeLessThan(1e-6);
    expect(stuck.spread).toBeLessThan(1e-6);
    expect(plain.spread).toBeGreaterThan(1e-5);
    expect(plain.moved).toBeGreaterThan(stuck.moved);
  });

  it("sticking the landing ends with a smaller divergence", async () => {
    const divergenceOf = async (stickTheLanding: boolean) => {
      const flow = affine();
      const target = gaussian([1, -2], [0.5, 0.8, 0.3]);
      return -(await fitDensity(flow, target, { ...fast, stickTheLanding })).elbo;
    };
    expect(Math.abs(await divergenceOf(true))).toBeLessThan(0.3 * (await divergenceOf(false)));
  });

  it("trainable bases are fitted too, except for the weights of a mixture", async () => {
    const identity = new Permutation({ order: [0, 1] });
    const diagonal = new DiagonalNormal({ features: 2 });
    await fitDensity(new Flow(diagonal, identity), gaussian([1, -2], [0.5, 0, 0.3]), fast);
    expect(diagonal.mean.value[1]).toBeCloseTo(-2, 1);
    expect(Math.exp(diagonal.logDeviation.value[0])).toBeCloseTo(0.5, 1);
    const mixture = new GaussianMixture({ features: 2, components: 2 }, new Random(2));
    const options = { ...fast, stickTheLanding: true };
    const { elbo } = await fitDensity(new Flow(mixture, identity), twoModes(1), options);
    expect(elbo).toBeGreaterThan(-1e-3);
    expect([...mixture.logWeights.value]).toEqual([0, 0]);
  });

  it("parameters of the density are read and not trained", async () => {
    const location = new Parameter([2], [3, 4]);
    const flow = affine();
    const { samples } = await fitDensity(flow, (x) => x.sub(location).square().sum(1).mul(-0.5), {
      ...fast,
    });
    expect([...location.value]).toEqual([3, 4]);
    expect(mean(column(samples, 0))).toBeCloseTo(3, 1);
    expect(mean(column(samples, 1))).toBeCloseTo(4, 1);
  });
});

describe("repetition", () => {
  const train = async (options: object) => {
    const flow = realNVP(2, small);
    const result = await fitDensity(flow, banana, { steps: 120, samples: 200, batchSize: 101, ...options });
    return { result, weights: weightsOf(flow) };
  };

  it("is the same for the same seed, and different for another seed", async () => {
    const [a, b, c] = [await train({ seed: 1 }), await train({ seed: 1 }), await train({ seed: 2 })];
    expect(a).toEqual(b);
    expect(a.weights).not.toEqual(c.weights);
  });

  it("is the same on one and two threads, up to rounding", async () => {
    const [one, two] = [await train({ threads: 1 }), await train({ threads: 2 })];
    one.result.history.forEach((line, i) => {
      expect(two.result.history[i].elbo).toBeCloseTo(line.elbo, 4);
    });
    expect(two.result.elbo).toBeCloseTo(one.result.elbo, 3);
  });

  it("records every 100 steps with the mean of their progress", async () => {
    const told: number[] = [];
    const annealing = { start: 0.5, steps: 100 };
    const { result } = await train({
      annealing,
      onProgress: ({ elbo }: { elbo: number }) => told.push(elbo),
    });
    expect(told.length).toBe(120);
    expect(result.history.map(({ step, annealing }) => [step, annealing])).toEqual([
      [100, 1],
      [120, 1],
    ]);
    expect(result.history[0].elbo).toBeCloseTo(told.slice(0, 100).reduce((a, b) => a + b) / 100, 9);
  });

  it("anneals over the first half of the steps by default", async () => {
    for (const annealing of [{}, { steps: undefined }]) {
      const { result } = await train({ steps: 200, annealing: { start: 0.5, ...annealing } });
      expect(result.history.map((line) => line.annealing)).toEqual([1, 1]);
      const { result: flatter } = await train({ steps: 200, annealing });
      expect(flatter.history.map((line) => line.annealing)).toEqual([0.01 + 99 / 100, 1]);
    }
  });

  it("ends at an abort signal, and at the time limit", async () => {
    const controller = new AbortController();
    const { result } = await train({
      signal: controller.signal,
      onProgress: ({ step }: { step: number }) => step === 7 && controller.abort(),
    });
    expect(result.stopped).toBe("signal");
    expect(result.history.map(({ step }) => step)).toEqual([7]);
    expect((await train({ steps: 1_000_000, maxMinutes: 0.005 })).result.stopped).toBe("time");
  });
});

describe("failure", () => {
  const flow = () => realNVP(2, small);

  it("throws where a density has a wrong shape", async () => {
    await expect(fitDensity(flow(), (x) => x.square())).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the log-density does not return a number for each row: expected [N] for x of shape [N, 2], received [N, 2] (float).
      Sum over the features only, as x.square().sum(-1) does.]
    `);
    await expect(fitDensity(flow(), (x) => x.square().sum())).rejects.toMatchObject({ code: "SHAPE" });
    await expect(fitDensity(flow(), (x) => x.sum(1).greater(0))).rejects.toMatchObject({ code: "SHAPE" });
    await expect(
      fitDensity(flow(), () => 0 as unknown as Tensor),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the log-density does not return a number for each row: expected [N] for x of shape [N, 2], received number.
      Sum over the features only, as x.square().sum(-1) does.]
    `);
  });

  it("throws for flows that cannot be fitted by gradients of their samples", async () => {
    const bits = madeFlow(2, { outputs: "bernoulli", hidden: [4], masks: 2 });
    await expect(
      fitDensity(bits, gaussian([0, 0], [0, 0, 0], 0)),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: samples of the flow have no gradients: expected a flow whose features are all continuous, received a flow with discrete or constant features.
      Remove constant and discrete features, or use importance(flow, logDensity, n), which needs no gradients.]
    `);
  });

  it("throws for options that are not valid", async () => {
    const epochs = { epochs: 3 } as object;
    await expect(fitDensity(flow(), banana, epochs)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: unknown option of fitDensity: expected one of steps, batchSize, optimizer, schedule, clipNorm, averageDecay, annealing, objective, stickTheLanding, samples, detectMissedMass, seed, onProgress, onRecovery, signal, maxMinutes, providers, threads, received epochs.]`,
    );
    const plateau = { schedule: { type: "plateau" } } as object;
    await expect(fitDensity(flow(), banana, plateau)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an option of fitDensity is not valid at schedule.type: expected one of "constant", "cosine", received "plateau".]`,
    );
    const annealing = { steps: 200, annealing: { steps: 10_000 } };
    await expect(fitDensity(flow(), banana, annealing)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: annealing does not end within the steps of fitDensity: expected more than 9900 steps, received 200.
      Raise steps or lower annealing.steps: the flow would be fitted to a flatter density than yours.]
    `);
    const conditional = realNVP(2, { ...small, context: 1 });
    await expect(fitDensity(conditional, banana)).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow needs a context: expected 1 feature per row, received none.
      Give one row of context for all rows, or one for each: logProb(rows, context), or flow.withContext(context).]
    `,
    );
  });

  it("reports that the density is not finite, and at which x", async () => {
    const told: string[] = [];
    const options = { steps: 10, threads: 1, onRecovery: (message: string) => told.push(message) };
    const root = (x: Tensor) => x.sum(1).add(3).log();
    const fitted = flow();
    await expect(fitDensity(fitted, root, options)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: fitting to a density failed 4 times; last in step 1, at the log-density, x = (-0.9823, -2.594): expected a finite loss and gradient, received a loss of NaN.
      The log-density must be finite for every sample of the flow: bound the arguments of logarithms and roots, or end the flow in a bijection onto the support.]
    `);
    expect(told.length).toBe(3);
    expect(told[0]).toMatchInlineSnapshot(
      `"There was a loss of NaN in step 1 (the log-density, x = (-0.9823, -2.594)). Training returns to the weights after step 0 and halves the learning rate."`,
    );
    for (const weight of weightsOf(fitted)) expect(Number.isFinite(weight)).toBe(true);
    const slope = (x: Tensor) => x.square().sum(1).mul(0).sqrt();
    await expect(fitDensity(flow(), slope, { steps: 10 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: fitting to a density failed 4 times; last in step 1, at the gradient of the log-density, x = (-1.062, 0.6096): expected a finite loss and gradient, received a gradient of norm NaN.
      The log-density must be finite for every sample of the flow: bound the arguments of logarithms and roots, or end the flow in a bijection onto the support.]
    `);
  });

  it("reports it with annealing too", async () => {
    const root = (x: Tensor) => x.sum(1).add(3).log();
    const options = { steps: 10, annealing: { steps: 5 }, threads: 1 };
    await expect(fitDensity(flow(), root, options)).rejects.toThrow("at the log-density, x = (");
  });

  it("reports which layer of the flow is not finite", async () => {
    const broken = flow();
    const weight = broken.parameters().get("bijection.bijections.1.network.layers.0.weight")!;
    weight.value[0] = Number.NaN;
    await expect(fitDensity(broken, banana, { steps: 10 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: fitting to a density failed 4 times; last in step 1, at bijection.bijections.1 of the flow, row 0: expected a finite loss and gradient, received a loss of NaN.
      Lower the learning rate.]
    `);
  });

  it("returns to the last good weights with half the learning rate", async () => {
    const told: string[] = [];
    const fitted = flow();
    const result = await fitDensity(fitted, banana, {
      steps: 300,
      optimizer: { type: "sgd", learningRate: 10 },
      clipNorm: 1e12,
      samples: 100,
      threads: 1,
      onRecovery: (message) => told.push(message),
    }).catch((error: Error) => error);
    expect(told.length).toBeGreaterThan(0);
    for (const weight of weightsOf(fitted)) expect(Number.isFinite(weight)).toBe(true);
    if (result instanceof Error) expect(result).toMatchObject({ code: "NUMERIC" });
  });
});
