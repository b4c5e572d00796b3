import { describe, expect, test, vi } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { maf, nsf } from "../../src/flows/index.ts";
import { constant, valueAndGrad } from "../../src/graph/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import {
  adam,
  type CheckpointStore,
  fit,
  type LossBatch,
  type MinimizeOptions,
  minimize,
  sgd,
} from "../../src/train/index.ts";
import { memoryStore } from "./memoryStore.ts";

/** Rows (x, 2 x + 1 + noise). */
function line(rows: number): Float64Array {
  const z = new Random(1).normal(new Float64Array(2 * rows));
  return z.map((e, i) => (i % 2 === 0 ? e : 2 * z[i - 1]! + 1 + 0.1 * e));
}

const regression = () => ({ slope: new Parameter([], 0), intercept: new Parameter([], 0) });
const squaredError =
  ({ slope, intercept }: ReturnType<typeof regression>) =>
  ({ values }: Pick<LossBatch, "values">) =>
    values
      .slice(1, 1, 2)
      .sub(values.slice(1, 0, 1).mul(slope).add(intercept))
      .square()
      .sum(1);
const numbersOf = (model: Record<string, Parameter>) =>
  Object.fromEntries(Object.entries(model).map(([name, { numbers }]) => [name, numbers[0]!]));
const quick = { epochs: 60, optimizer: { learningRate: 0.05 } } as const;

describe("minimize", () => {
  test("fits a line by least squares", async () => {
    const model = regression();
    const data = dataset(line(400), { features: 2 });
    const result = await minimize(squaredError(model), model, data, quick);
    const { slope, intercept } = numbersOf(model);
    expect(slope).toBeCloseTo(2, 1);
    expect(intercept).toBeCloseTo(1, 1);
    expect(result.validationLoss).toBeCloseTo(0.01, 2);
    expect([result.training!.rows, result.validation!.rows]).toEqual([360, 40]);
  });

  test("with the loss of fit, trains to the same weights as fit", async () => {
    const data = line(300);
    const [a, b] = [nsf(2, { transforms: 2, hidden: [8] }), nsf(2, { transforms: 2, hidden: [8] })];
    const fitted = await fit(a, data, { epochs: 3, seed: 4 });
    const rows = dataset(data, { features: 2 });
    const minimized = await minimize(({ values }) => b.logProb(values).neg(), b, rows, {
      epochs: 3,
      seed: 4,
    });
    expect(minimized.epochs.map(({ validationLoss }) => -validationLoss!)).toEqual(
      fitted.epochs.map(({ validationLogDensity }) => validationLogDensity),
    );
    const weights = (flow: typeof a) => [...flow.parameters().values()].map(({ numbers }) => [...numbers]);
    expect(weights(b)).toEqual(weights(a));
  });

  test("minimizes a scalar over whole batches, with a padded last batch", async () => {
    const minimized = async (threads: number) => {
      const model = regression();
      // This root is not a sum over rows, so that shards of a batch have another loss.
      const loss = ({ values }: LossBatch) => squaredError(model)({ values }).mean().sqrt();
      const data = dataset(line(250), { features: 2 });
      const options = { ...quick, batchSize: 64, threads, validationFraction: 0.2 };
      const { validationLoss } = await minimize(loss, model, data, options);
      return { weights: numbersOf(model), validationLoss };
    };
    const result = await minimized(2);
    expect(result).toEqual(await minimized(1));
    expect(result.weights.slope).toBeCloseTo(2, 1);
    expect(result.validationLoss).toBeCloseTo(0.1, 1);
  });

  test("scales a gradient above the norm clipNorm down to it", async () => {
    const sgdOptions = { learningRate: 0.5, beta1: 0 };
    // The gradient is (30, 40), with the norm 50.
    for (const [clipNorm, expected] of [
      [2, [-0.6, -0.8]],
      [60, [-15, -20]],
    ] as const) {
      const [minimized, stepped] = [{ w: new Parameter([2], 0) }, { w: new Parameter([2], 0) }];
      const loss = () => minimized.w.mul(constant([30, 40], [2])).sum();
      const optimizer = { type: "sgd", ...sgdOptions } as const;
      await minimize(loss, minimized, undefined, { steps: 1, optimizer, clipNorm, averageDecay: 0 });
      const steps = sgd(stepped, sgdOptions);
      await steps.step([[30, 40]], { clipNorm });
      steps.release();
      for (const { w } of [minimized, stepped])
        expect([...w.numbers]).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    }
  });

  test("draws noise, which is the same in each evaluation of the validation rows", async () => {
    // E[(c - u)^2] over u ~ N(0, 1) has its minimum at c = 0.
    const model = { center: new Parameter([], 1) };
    const loss = ({ normal }: LossBatch) => model.center.sub(normal(1)).square().sum(1);
    const still = { epochs: 3, optimizer: { type: "sgd", learningRate: 1e-30 } } as const;
    const { epochs } = await minimize(loss, model, dataset(line(400), { features: 2 }), still);
    expect(new Set(epochs.map(({ validationLoss }) => validationLoss)).size).toBe(1);
    expect(new Set(epochs.map(({ trainLoss }) => trainLoss)).size).toBe(3);
  });

  test("without data takes the given number of steps, and passes their index to the loss", async () => {
    const model = { mean: new Parameter([], 3), steps: new Parameter([], 0, { trainable: false }) };
    // From 0 to 1 over the first 200 steps.
    const loss = ({ uniform, step }: LossBatch) => {
      const factor = step.div(200).minimum(1);
      return { loss: model.mean.sub(uniform(1)).square().sum(1), factor };
    };
    const options = { steps: 250, optimizer: { learningRate: 0.05 }, batchSize: 512 };
    const { epochs, bestEpoch, validationLoss, training } = await minimize(loss, model, undefined, options);
    // The last weights are the result.
    expect(bestEpoch).toBe(epochs.length);
    expect(model.mean.numbers[0]).toBeCloseTo(0.5, 1);
    expect(epochs.map(({ step }) => step)).toEqual([100, 200, 250]);
    expect(epochs.map(({ metrics }) => metrics!.factor)).toEqual([
      expect.closeTo(0.2475, 5),
      expect.closeTo(0.7475, 5),
      1,
    ]);
    expect([validationLoss, training]).toEqual([undefined, undefined]);
  });

  test("evaluates a loss that depends on the step after the last step of each epoch", async () => {
    const model = { mean: new Parameter([], 0) };
    const loss = ({ step }: LossBatch) => model.mean.square().sub(step);
    const rows = dataset(line(100), { features: 2 });
    const { epochs } = await minimize(loss, model, rows, { epochs: 3, batchSize: 30 });
    // 90 training rows are 3 steps for each epoch.
    expect(epochs.map(({ validationLoss }) => validationLoss)).toEqual([-3, -6, -9]);
  });

  test("gives each chunk of a scalar validation loss weights with the sum 1", async () => {
    const model = regression();
    const rows = dataset(line(200), {
      features: 2,
      weights: Float64Array.from({ length: 200 }, (_, i) => 1 + (i % 3)),
    });
    // The 180 training rows are evaluated in chunks of 20, the number of validation rows.
    const { epochs } = await minimize(squaredError(model), model, rows, {
      epochs: 1,
      validationLoss: ({ weights }) => weights.sum().mul(5),
    });
    expect(epochs[0]!.validationLoss).toBeCloseTo(5, 5);
    expect(epochs[0]!.trainLoss).toBeCloseTo(5, 5);
  });

  test("releases the training loss if the validation loss is not valid", async () => {
    const created = vi.spyOn(ShardedFunction, "create");
    const released = vi.spyOn(ShardedFunction.prototype, "release");
    const model = regression();
    const options = { validationLoss: ({ values }: LossBatch) => values };
    const data = dataset(line(50), { features: 2 });
    await expect(minimize(squaredError(model), model, data, options)).rejects.toThrow("a wrong shape");
    expect(created).toHaveBeenCalledTimes(1);
    expect(released).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
  });

  test("throws for options that have no effect with data, or without", async () => {
    const model = regression();
    const data = dataset(line(50), { features: 2 });
    await expect(
      minimize(squaredError(model), model, data, { steps: 10 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the option steps of minimize has no effect with data.
      Limit the training by epochs, or by maxMinutes.]
    `);
    const loss = ({ normal }: LossBatch) => model.slope.sub(normal(1)).square().sum(1);
    const unused = { epochs: 3, patience: 2, validationFraction: 0.2, validationLoss: loss };
    for (const [name, value] of Object.entries(unused)) {
      await expect(minimize(loss, model, undefined, { [name]: value, steps: 1 })).rejects.toThrow(
        `the option ${name} of minimize needs data, but data is undefined`,
      );
    }
  });

  test("reports how much of an epoch is done, also of one with fewer steps", async () => {
    const model = regression();
    const loss = ({ normal }: LossBatch) => model.slope.sub(normal(1)).square().sum(1);
    const fractions: number[] = [];
    const onProgress = ({ fraction }: { fraction: number }) => fractions.push(fraction);
    await minimize(loss, model, undefined, { steps: 125, onProgress });
    expect([fractions[0], fractions[99], fractions[100], fractions[124]]).toEqual([0.01, 1, 0.04, 1]);
  });

  test("reports the training loss of rows with weight", async () => {
    const model = regression();
    // Every second row is evaluated if 1,000 of 2,000 rows are taken at equal distances.
    const weights = Float64Array.from({ length: 2000 }, (_, i) => i % 2);
    const loss = squaredError(model);
    const { epochs } = await minimize(loss, model, dataset(line(2000), { features: 2, weights }), {
      ...quick,
      epochs: 1,
      validation: dataset(line(20), { features: 2 }),
      validationLoss: loss,
    });
    expect(epochs[0]!.trainLoss).toBeGreaterThan(0);
  });

  test("says that a loss exploded, and that one is not a number", async () => {
    const told: string[] = [];
    const model = regression();
    const exploding = ({ step }: LossBatch) => model.slope.square().add(step.sub(149).maximum(0).mul(1e6));
    const options = { steps: 300, threads: 1, onRecovery: (message: string) => told.push(message) };
    await expect(minimize(exploding, model, undefined, options)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training failed 4 times; last in step 152: expected a loss near that of the steps before, received a loss of 2000000.
      Lower the learning rate.]
    `);
    expect(told[0]).toMatchInlineSnapshot(
      `"There was a loss of 2000000 in step 152. Training returns to the weights after step 100 and halves the learning rate."`,
    );
    const root = ({ values }: LossBatch) => values.slice(1, 0, 1).sqrt().mul(model.slope).sum(1);
    await expect(
      minimize(root, model, dataset(line(50), { features: 2 }), { threads: 1 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training failed 4 times; last in epoch 1, batch 1: expected a finite loss and gradient, received a loss of NaN.
      Lower the learning rate, or look for outliers and for columns of few distinct values in these rows.]
    `);
  });

  test("throws for options that have no effect without validation rows", async () => {
    const model = regression();
    const data = dataset(line(20), { features: 2 });
    const validationLoss = squaredError(model);
    const loss = ({ normal }: LossBatch) => model.slope.sub(normal(1)).square().sum(1);
    const unused: MinimizeOptions[] = [
      { validationLoss },
      { patience: 5 },
      { schedule: { patience: 5 } },
      { schedule: { type: "plateau", final: 0.1 } },
    ];
    const messages: string[] = [];
    for (const options of unused)
      await minimize(loss, model, data, { ...options, validationFraction: 0 }).catch((error) =>
        messages.push(error.message),
      );
    await minimize(loss, model, undefined, { schedule: { final: 0.1 } }).catch((error) =>
      messages.push(error.message),
    );
    expect(messages.join("\n")).toMatchInlineSnapshot(`
      "the option validationLoss of minimize needs validation rows.
      Give the option validation, or a validationFraction above 0.
      the option patience of minimize needs validation rows.
      Give the option validation, or a validationFraction above 0.
      the option schedule.patience of minimize needs validation rows.
      Give the option validation, or a validationFraction above 0.
      the option schedule.final of minimize needs validation rows.
      Give the option validation, or a validationFraction above 0.
      the option schedule.final of minimize needs validation rows.
      Leave it out. Without data, only the schedule cosine lowers the learning rate."
    `);
    const used = { validationFraction: 0, epochs: 1, schedule: { warmupSteps: 3 } };
    expect((await minimize(loss, model, data, used)).stopped).toBe("epochs");
    const cosine = { steps: 1, schedule: { type: "cosine", final: 0.1 } } as const;
    expect((await minimize(loss, model, undefined, cosine)).stopped).toBe("epochs");
  });

  test("resumes from a checkpoint with the same result", async () => {
    const store = memoryStore();
    const run = async (checkpoint: CheckpointStore) => {
      const model = regression();
      const loss = (batch: LossBatch) => ({
        loss: squaredError(model)(batch),
        noise: batch.normal(1).sum(1),
        infinite: batch.weights.mul(0).add(1).div(0),
        undefinedRatio: batch.weights.mul(0).div(0),
      });
      const data = dataset(line(200), { features: 2 });
      const { epochs } = await minimize(loss, model, data, { ...quick, epochs: 6, checkpoint });
      expect(epochs.at(-1)!.metrics).toMatchObject({
        infinite: Number.POSITIVE_INFINITY,
        undefinedRatio: Number.NaN,
      });
      return { epochs, ...numbersOf(model) };
    };
    const whole = await run(store);
    expect(await run(memoryStore(store.saved[2]))).toEqual(whole);
  });

  test("throws for a loss or a model that it cannot train", async () => {
    const model = regression();
    const data = dataset(line(50), { features: 2 });
    await expect(minimize(({ values }) => values.mul(model.slope), model, data)).rejects.toThrow(
      "the loss has a wrong shape: expected a tensor [N], a number for each row, or a scalar tensor, received [N, 2]",
    );
    await expect(minimize(squaredError(model), { rows: 3 }, data)).rejects.toThrow(
      "the model has no trainable parameters",
    );
    await expect(
      minimize(({ values }) => values.square().sum(1), { p: new Parameter([], 1) }, data),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the loss does not depend on any trainable parameter of the model.
      Give the objects whose parameters the loss reads: minimize(loss, { encoder, decoder }, rows).]
    `);
    expect(() => sgd({ rows: 3 })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no trainable parameters: expected an object with trainable parameters in public properties, received an object of class Object.
      Give the objects whose parameters the loss reads, such as { encoder, decoder }.]
    `);
    await expect(minimize(squaredError(model), model, undefined)).rejects.toThrow(
      "the loss reads batch.values, but minimize got no data",
    );
    const hidden = new Parameter([], 1);
    const loss = (batch: LossBatch) => squaredError(model)(batch).mul(hidden);
    await expect(minimize(loss, model, data)).rejects.toThrow("in none of its public properties");
    const { stopped } = await minimize(loss, model, data, { epochs: 1, frozen: { hidden } });
    expect(stopped).toBe("epochs");
    expect(hidden.numbers[0]).toBe(1);
  });

  test("throws for a second training of a model at the same time", async () => {
    const flow = forTables(maf(2, { transforms: 1, hidden: [8] }));
    const data = line(200);
    const first = fit(flow, data, { epochs: 2 });
    await expect(fit(flow, data, { epochs: 2 })).rejects.toThrow("is being trained already");
    expect((await first).epochs).toHaveLength(2);
    expect((await fit(flow, data, { epochs: 1 })).epochs).toHaveLength(1);
  });

  test("copies its rows before it returns a promise", async () => {
    const run = async (change: boolean) => {
      const flow = maf(2, { transforms: 1, hidden: [8] });
      const data = line(100);
      const result = fit(flow, data, { epochs: 2 });
      if (change) data.fill(7);
      return (await result).validationLogDensity;
    };
    expect(await run(true)).toBe(await run(false));
  });
});

describe("a custom training loop", () => {
  test("trains a flow with adam", async () => {
    const flow = forTables(maf(2, { transforms: 2, hidden: [16] }));
    const data = line(256);
    const optimizer = adam(flow, { learningRate: 0.01 });
    const step = compile((x) => valueAndGrad(flow.logProb(x).mean().neg(), optimizer.parameters), [["N", 2]]);
    const losses: number[] = [];
    for (let i = 0; i < 250; i++) {
      const [loss, ...gradients] = await step(data);
      losses.push(loss![0]!);
      await optimizer.step(gradients, { clipNorm: 5 });
    }
    optimizer.release();
    await step.release();
    // The entropy of the rows is that of x plus that of the noise around the line.
    const entropy = Math.log(2 * Math.PI * Math.E) + Math.log(0.1);
    expect(losses.at(-1)).toBeLessThan(entropy + 0.15);
    const again = adam(flow);
    again.release();
  });

  test("takes steps with an optimizer, and throws for gradients of a wrong size", async () => {
    const model = { w: new Parameter([2], [1, 2]), b: new Parameter([], 5) };
    const optimizer = sgd(model, { learningRate: 0.5, beta1: 0 });
    expect(optimizer.parameters).toEqual([model.w, model.b]);
    await optimizer.step([[1, -1], [2]], { scale: 0.5 });
    expect([...model.w.numbers, ...model.b.numbers]).toEqual([0.75, 2.25, 4.5]);
    await expect(optimizer.step([[1, 1]])).rejects.toThrow(
      "gradient 1 does not have the size of its parameter",
    );
    await expect(optimizer.step([[1, Number.NaN], [1]])).rejects.toThrow("the gradients are not finite");
    expect([...model.w.numbers]).toEqual([0.75, 2.25]);
    optimizer.release();
    expect([...model.w.numbers, ...model.b.numbers]).toEqual([0.75, 2.25, 4.5]);
    await expect(optimizer.step([[1, -1], [2]])).rejects.toThrow("the optimizer was released");
    const next = sgd(model);
    optimizer.release();
    expect(() => sgd(model)).toThrow("is being trained already");
    next.release();
  });
});
