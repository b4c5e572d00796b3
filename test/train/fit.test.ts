import { describe, expect, it } from "vitest";
import {
  Actnorm,
  Autoregressive,
  Chain,
  Permutation,
  Standardize,
  StandardizeContext,
} from "../../src/bijections/index.ts";
import type { PushforwardError } from "../../src/check/errors.ts";
import { dataset } from "../../src/dataset/index.ts";
import { DiagonalNormal } from "../../src/distributions/diagonalNormal.ts";
import { GaussianMixture } from "../../src/distributions/gaussianMixture.ts";
import { Uniform } from "../../src/distributions/uniform.ts";
import { Flow, maf, nsf, realNVP } from "../../src/flows/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { type FitEpoch, type FitOptions, fit } from "../../src/train/index.ts";
import { fitSettingsSchema, trainingLengths } from "../../src/train/options.ts";
import { memoryStore } from "./memoryStore.ts";

/** n rows of a correlated Gaussian: x_2 = x_1 / 2 + noise. */
function correlated(n: number, seed = 1): Float64Array {
  const z = new Random(seed).normal(new Float64Array(2 * n));
  return z.map((v, i) => (i % 2 === 0 ? 3 + 2 * v : -1 + z[i - 1] + 0.5 * v));
}

/** Entropy of the Gaussian above: log(2 pi e) + log(2 * 0.5). */
const ENTROPY = Math.log(2 * Math.PI * Math.E);

const small = { hidden: [16, 16], transforms: 2 };

const weightsOf = (flow: Flow) => [...flow.parameters().values()].flatMap((p) => Array.from(p.value));

describe("fit", () => {
  it("reaches the entropy of a Gaussian", async () => {
    const flow = forTables(maf(2, small));
    const result = await fit(flow, correlated(4000), { epochs: 30, averageDecay: 0.99 });
    const test = mean(await flow.logProb(correlated(20000, 2)));
    expect(test).toBeGreaterThan(-ENTROPY - 0.02);
    expect(test).toBeLessThan(-ENTROPY + 0.02);
    expect(result.validationLogDensity).toBeCloseTo(-ENTROPY, 0);
  });

  it("fits the maximum-likelihood mean and deviation of a trainable base", async () => {
    const data = Float64Array.of(1, 2, 4, 9);
    const flow = new Flow(new DiagonalNormal({ features: 1 }), new Permutation({ order: [0] }));
    const options = {
      epochs: 1500,
      batchSize: 3,
      optimizer: { type: "adam", learningRate: 0.02 },
      patience: 1500,
    } as const;
    await fit(flow, data, { ...options, validation: data, schedule: { type: "cosine" } });
    const { mean: location, logDeviation } = flow.base as DiagonalNormal;
    expect(location.value[0]).toBeCloseTo(4, 1);
    expect(Math.exp(logDeviation.value[0])).toBeCloseTo(Math.sqrt(38 / 4), 1);
  });

  it("counts a row of weight 2 like two rows", async () => {
    const data = correlated(60);
    const twice = Float64Array.from([...data, ...data.subarray(0, 60)]);
    const weights = Float64Array.from({ length: 60 }, (_, i) => (i < 30 ? 2 : 1));
    const options = { epochs: 3, batchSize: 1000, validation: data };
    const flows = [maf(2, small), maf(2, small)];
    const a = await fit(flows[0], data, { ...options, weights });
    const b = await fit(flows[1], twice, options);
    a.epochs.forEach((epoch, i) => {
      expect(epoch.trainLogDensity).toBeCloseTo(b.epochs[i].trainLogDensity, 4);
    });
  });

  it("gives rows of large weight the same influence in mini-batches as repeated rows", async () => {
    // 3,000 rows near -2, and 6 rows near 2 with the same total weight.
    const z = new Random(1).normal(new Float64Array(3006));
    const near = z.map((e, i) => (i < 3000 ? -2 : 2) + 0.5 * e);
    const weights = new Float64Array(3006).fill(1, 0, 3000).fill(500, 3000);
    const repeated = Float64Array.from({ length: 6000 }, (_, i) => near[i < 3000 ? i : 3000 + (i % 6)]);
    const above = async (data: Float64Array, weights?: Float64Array) => {
      const flow = forTables(nsf(1, { transforms: 2, hidden: [16] }));
      const validation = dataset(data, { features: 1, weights });
      const options = { weights, validation, epochs: 30, optimizer: { learningRate: 3e-3 } };
      await fit(flow, data, options);
      return (await flow.sample(4000)).filter((x) => x > 0).length / 4000;
    };
    expect(await above(repeated)).toBeCloseTo(0.5, 1);
    expect(await above(near, weights)).toBeCloseTo(0.5, 1);
  });

  it("weights the last, smaller batch by its number of rows", async () => {
    const data = correlated(103);
    const frozen = { optimizer: { learningRate: 1e-12 }, epochs: 1, validation: data };
    const whole = await fit(maf(2, small), data, { ...frozen, batchSize: 103 });
    const parts = await fit(maf(2, small), data, { ...frozen, batchSize: 10 });
    expect(parts.epochs[0].trainLogDensity).toBeCloseTo(whole.epochs[0].trainLogDensity, 5);
  });

  it("keeps the best weights, including those of the initial flow", async () => {
    const flow = forTables(nsf(2, small));
    const data = correlated(200);
    const seen: FitEpoch[] = [];
    const result = await fit(flow, data, {
      epochs: 40,
      optimizer: { learningRate: 0.02 },
      onEpoch: (epoch) => seen.push(epoch),
      validation: correlated(100, 3),
      patience: 5,
    });
    const best = Math.max(...seen.map((e) => e.validationLogDensity));
    expect(result.validationLogDensity).toBeGreaterThanOrEqual(best);
    expect(mean(await flow.logProb(correlated(100, 3)))).toBeCloseTo(result.validationLogDensity, 4);
    expect(result.stopped).toBe("patience");
    expect(result.epochs.length - result.bestEpoch).toBe(5);
  });

  it("has a patience of at least 500 steps, even if an epoch has few", async () => {
    // Steps that are too small to change a weight, so the loss never decreases.
    const still = { optimizer: { type: "sgd", learningRate: 1e-30 } } as const;
    const flow = new Flow(new DiagonalNormal({ features: 1 }));
    const ofFew = await fit(flow, correlated(200).subarray(0, 200), still);
    expect([ofFew.stopped, ofFew.epochs.length]).toEqual(["patience", 500]);
    // The learning rate was halved after 200 and 400.
    const sizes = ofFew.epochs.map(({ learningRate }) => learningRate / 1e-30);
    expect([sizes[199], sizes[200], sizes[399], sizes[400]]).toEqual([1, 0.5, 0.5, 0.25]);
    const exact = await fit(flow, correlated(100), { ...still, patience: 3 });
    expect(exact.epochs).toHaveLength(3);
  });

  it.each([
    [{}, 1, { epochs: 10_000, patience: 500, plateau: 200 }],
    [{}, 4, { epochs: 2500, patience: 125, plateau: 50 }],
    [{}, 100, { epochs: 500, patience: 20, plateau: 8 }],
    [{ epochs: 7, patience: 5, schedule: { patience: 2 } }, 1, { epochs: 7, patience: 5, plateau: 2 }],
  ])("with %j and %i batches an epoch lasts %j", (options, batches, lengths) => {
    expect(trainingLengths(fitSettingsSchema.parse(options), batches)).toEqual(lengths);
  });

  it("is the same for the same seed, and different for another seed", async () => {
    const train = async (seed: number) => {
      const flow = forTables(realNVP(2, small));
      await fit(flow, correlated(300), { epochs: 3, seed });
      return weightsOf(flow);
    };
    const [a, b, c] = [await train(1), await train(1), await train(2)];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it("loses no precision by a large offset", async () => {
    const data = correlated(500);
    const shifted = data.map((x, i) => (i % 2 === 0 ? x + 1.7e9 : x));
    const flows = [forTables(maf(2, small)), forTables(maf(2, small))];
    const a = await fit(flows[0], data, { epochs: 5 });
    const b = await fit(flows[1], shifted, { epochs: 5 });
    expect(b.validationLogDensity).toBeCloseTo(a.validationLogDensity, 3);
    const [plain, far] = [await flows[0].logProb(data), await flows[1].logProb(shifted)];
    expect(Math.max(...plain.map((v, i) => Math.abs(v - far[i])))).toBeLessThan(1e-2);
  });

  it("fits a conditional density", async () => {
    const z = new Random(5).normal(new Float64Array(4000));
    const context = z.subarray(0, 2000).map((v) => 5000 + 300 * v);
    const data = z.subarray(2000).map((v, i) => (3 * (context[i] - 5000)) / 300 + 0.1 * v);
    const flow = forTables(maf(1, { ...small, context: 1 }));
    await fit(flow, data, { context, epochs: 60, optimizer: { learningRate: 5e-3 } });
    const entropy = 0.5 * Math.log(2 * Math.PI * Math.E) + Math.log(0.1);
    const fitted = mean(await flow.logProb(data, context));
    expect(fitted).toBeGreaterThan(-entropy - 0.15);
    expect(fitted).toBeLessThan(-entropy + 0.1);
  });

  it("one outlier has a finite log-density, and the others keep theirs", async () => {
    const data = correlated(500);
    data[0] = 1e6;
    for (const flow of [forTables(maf(2, small)), forTables(nsf(2, small))]) {
      await fit(flow, data, { epochs: 60 });
      const densities = await flow.logProb([1e6, 0, 1e9, -1e9, 1e30, 1e30]);
      for (const density of densities) expect(Number.isFinite(density)).toBe(true);
      expect(densities[0]).toBeGreaterThan(-1000);
      const rest = await flow.logProb(correlated(500, 9));
      expect(mean(rest)).toBeGreaterThan(-ENTROPY - 0.3);
    }
  });
});

describe("initialize", () => {
  it("initializes parts in nested chains and inside of a standardized context", async () => {
    const rows = 500;
    const z = new Random(4).normal(new Float64Array(2 * rows));
    const context = z.subarray(0, rows).map((v) => 100 + 10 * v);
    const data = z.subarray(rows).map((v) => 7 + 3 * v);
    const inner = new Actnorm({ features: 1 });
    const autoregressive = new Autoregressive({ order: [0], context: 1 }, new Random(0));
    const nested = new StandardizeContext(new Chain([inner, autoregressive]));
    const outer = new Actnorm({ features: 1 });
    const flow = new Flow(new DiagonalNormal({ features: 1 }), new Chain([nested, new Chain([outer])]));
    outer.logScale.value[0] = 9; // what was there before counts for nothing
    await fit(flow, data, { context, epochs: 1, optimizer: { learningRate: 1e-12 }, averageDecay: 0 });
    expect(outer.shift.value[0]).toBeCloseTo(7, 0);
    expect(Math.exp(outer.logScale.value[0])).toBeCloseTo(3, 0);
    expect(inner.shift.value[0]).toBeCloseTo(0, 5);
    expect(inner.logScale.value[0]).toBeCloseTo(0, 5);
    expect(nested.scaler.center.value[0]).toBeCloseTo(100, -1);
    expect(nested.scaler.scale.value[0]).toBeCloseTo(10, -1);
  });
});

describe("interruption", () => {
  const data = correlated(300);
  const options = { epochs: 6, averageDecay: 0.9, schedule: { patience: 1 }, patience: 10 } as const;

  it("resumes from any epoch with exactly the same weights and records", async () => {
    const whole = forTables(nsf(2, small));
    const store = memoryStore();
    const expected = await fit(whole, data, { ...options, checkpoint: store });
    expect(store.saved.length).toBe(6);
    for (const epoch of [0, 3, 5]) {
      const flow = forTables(nsf(2, small));
      const later = memoryStore(store.saved[epoch]);
      const result = await fit(flow, data, { ...options, checkpoint: later });
      expect(result).toEqual(expected);
      expect(weightsOf(flow)).toEqual(weightsOf(whole));
      expect(later.saved.map((b) => Buffer.from(b).toString("base64"))).toEqual(
        store.saved.slice(epoch + 1).map((b) => Buffer.from(b).toString("base64")),
      );
    }
  });

  it("throws for a checkpoint of other data", async () => {
    const store = memoryStore();
    await fit(forTables(nsf(2, small)), data, { ...options, epochs: 1, checkpoint: store });
    const other = fit(forTables(nsf(2, small)), correlated(300, 8), {
      ...options,
      checkpoint: memoryStore(store.saved[0]),
    });
    await expect(other).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the checkpoint is from different data, a different flow or different settings.
      Give the same data and options to resume from it, or delete it to start from the beginning.]
    `);
  });

  it("ends at an abort signal with the best weights so far", async () => {
    const controller = new AbortController();
    const result = await fit(forTables(nsf(2, small)), data, {
      ...options,
      signal: controller.signal,
      onEpoch: ({ epoch }) => epoch === 2 && controller.abort(),
    });
    expect(result.stopped).toBe("signal");
    expect(result.epochs.length).toBe(2);
  });

  it("has the validated weights during onEpoch, and waits for its promise", async () => {
    const flow = forTables(nsf(2, small));
    const validation = correlated(50, 9);
    const seen: number[] = [];
    const { epochs } = await fit(flow, data, {
      ...options,
      epochs: 3,
      validation,
      onEpoch: async ({ epoch }) => {
        seen.push(mean(await flow.logProb(validation)));
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push(epoch);
      },
    });
    expect(seen).toEqual(
      epochs.flatMap(({ epoch, validationLogDensity }) => [expect.closeTo(validationLogDensity, 5), epoch]),
    );
  });

  it("ends at the time limit", async () => {
    const result = await fit(forTables(nsf(2, small)), data, {
      epochs: 100_000,
      patience: 100_000,
      maxMinutes: 0.001,
    });
    expect(result.stopped).toBe("time");
  });

  it("includes expectation maximization in the time limit, and ends it at an abort signal", async () => {
    const noise = new Random(5).normal(new Float64Array(600));
    const clusters = noise.map((e, i) => ((i >> 1) % 3) - 1 + 1e-2 * e);
    const components = async (limit: FitOptions) => {
      const mixture = new GaussianMixture({ features: 2, components: 8 }, new Random(0));
      const { stopped } = await fit(new Flow(mixture, new Standardize({ features: 2 })), clusters, limit);
      return { stopped, used: mixture.logWeights.numbers.filter((w) => w > Math.log(1e-6)).length };
    };
    expect((await components({ epochs: 1 })).used).toBeGreaterThan(2);
    // If the limit is already reached, the first choice of the number of components is final.
    expect(await components({ maxMinutes: 1e-9 })).toEqual({ stopped: "time", used: 1 });
    expect(await components({ signal: AbortSignal.abort() })).toEqual({ stopped: "signal", used: 1 });
  });
});

describe("an initial flow that is already good", () => {
  // Three narrow clusters, which expectation maximization finds, and a learning rate that is too large for its components.
  const clusters = (rows: number) => {
    const noise = new Random(5).normal(new Float64Array(2 * rows));
    return noise.map((e, i) => ((i >> 1) % 3) - 1 + 1e-3 * e);
  };
  const onMixture = () => {
    const mixture = new GaussianMixture({ features: 2, components: 4 }, new Random(0));
    return forTables(new Flow(mixture, maf(2, small).bijection));
  };
  const options = {
    epochs: 12,
    seed: 1,
    optimizer: { learningRate: 3e-3 },
    validation: clusters(90),
  };

  it("is not destroyed by large steps, since the learning rate is reduced", async () => {
    const start = (await fit(onMixture(), clusters(300), { ...options, epochs: 1 })).validationLogDensity;
    const { epochs } = await fit(onMixture(), clusters(300), options);
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(epochs[0].learningRate).toBeLessThan(3e-3);
    expect((Math.log(3e-3 / epochs[0].learningRate) / Math.log(8)) % 1).toBeCloseTo(0, 9);
    for (const { validationLogDensity } of epochs) expect(validationLogDensity).toBeGreaterThan(start - 1);
  });

  it("saves the reduced learning rate in a checkpoint", async () => {
    const store = memoryStore();
    const whole = onMixture();
    await fit(whole, clusters(300), { ...options, checkpoint: store });
    const resumed = onMixture();
    const { epochs } = await fit(resumed, clusters(300), {
      ...options,
      checkpoint: memoryStore(store.saved[0]),
    });
    expect(epochs.length).toBe(12);
    expect(weightsOf(resumed)).toEqual(weightsOf(whole));
  });
});

describe("failure", () => {
  it("returns to the last good weights, halves the learning rate, and reports it", async () => {
    const messages: string[] = [];
    const flow = forTables(realNVP(2, small));
    const result = await fit(flow, correlated(400), {
      epochs: 30,
      optimizer: { type: "sgd", learningRate: 1e4 },
      clipNorm: 1e12,
      onRecovery: (message) => messages.push(message),
    }).catch((error: PushforwardError) => error);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages[0]).toMatch(/returns to the weights before that epoch and halves the learning rate/);
    if (result instanceof Error) expect((result as PushforwardError).code).toBe("NUMERIC");
    for (const value of weightsOf(flow)) expect(Number.isFinite(value)).toBe(true);
  });

  it("throws at the fourth time, and names the layer, the batch and the row", async () => {
    // Rows outside the support of a uniform base have density 0, whatever the weights.
    const flow = new Flow(new Uniform({ features: 2 }), new Permutation({ order: [1, 0] }));
    const data = Float64Array.from({ length: 40 }, (_, i) => (i === 7 ? 5 : 0.5));
    await expect(fit(flow, data, { epochs: 5, batchSize: 8 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training failed 4 times; last in epoch 1, batch 1, at base, row 3 of the data: expected a finite loss and gradient, received a loss of Infinity.
      Lower the learning rate, or look for outliers and for columns of few distinct values in these rows.]
    `);
  });

  it("throws for data with a wrong shape", async () => {
    const flow = maf(2, small);
    await expect(fit(flow, [1, 2, 3])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of rows is not a multiple of the row length: expected a multiple of 2, received 3.]`,
    );
    await expect(fit(flow, [1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: there are too few rows to train a flow: expected at least 2 rows, received 1.]`,
    );
    await expect(fit(flow, [1, 2, Number.NaN, 4])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: row 1, column 0 of rows is NaN: expected a finite number.
      Remove such rows, or replace the value.]
    `);
    await expect(fit(flow, [1, 2, 3, 4], { weights: [1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of weights is not the number of rows: expected 2, received 1.]`,
    );
    await expect(fit(flow, [1, 2, 3, 4], { epochs: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an option of fit is not valid at epochs: expected more than 0, received 0.]`,
    );
  });
});
