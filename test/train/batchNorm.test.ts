import { expect, test } from "vitest";
import { BatchNorm, Chain } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, maf, realNVP } from "../../src/flows/index.ts";
import type { Parameter } from "../../src/graph/parameter.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit, fitDensity } from "../../src/train/index.ts";
import { memoryStore } from "./memoryStore.ts";

/** n rows of a banana: x_2 = x_1^2 / 2 + noise. */
function bananaRows(n: number, seed = 1): Float64Array {
  const z = new Random(seed).normal(new Float64Array(2 * n));
  return z.map((v, i) => (i % 2 === 0 ? v : 0.5 * z[i - 1] ** 2 + 0.5 * v));
}

const build = (seed = 0) => maf(2, { hidden: [16, 16], transforms: 3, batchNorm: true, seed });
const valuesOf = (flow: Flow) => [...flow.parameters()].map(([name, { value }]) => [name, ...value]);
const running = (flow: Flow): Parameter[] => [...flow.parameters().values()].filter((p) => p.running);

test("batch normalization is after each layer on the side of the base", () => {
  const types = (flow: Flow) => (flow.bijection as Chain).bijections.map((b) => b.describe().type);
  expect(types(maf(3, { transforms: 2, batchNorm: true }))).toEqual([
    "batchNorm",
    "autoregressive",
    "batchNorm",
    "autoregressive",
  ]);
  expect(types(realNVP(3, { transforms: 1, batchNorm: true }))).toEqual(["batchNorm", "coupling"]);
});

test.each([
  ["after two steps", { epochs: 1, batchSize: 512 }],
  ["trained", { epochs: 40, batchSize: 128 }],
])("a flow %s has the density of its validation, which integrates to 1", async (_when, options) => {
  const flow = build();
  const held = bananaRows(500, 9);
  const result = await fit(flow, bananaRows(1030), { ...options, validation: held });
  expect(mean(await flow.logProb(held))).toBeCloseTo(result.validationLogDensity, 4);
  const side = 241;
  const step = 14 / (side - 1);
  const grid = Float64Array.from({ length: 2 * side * side }, (_, i) => {
    const cell = Math.floor(i / 2);
    return i % 2 === 0 ? -7 + step * (cell % side) : -4 + step * Math.floor(cell / side);
  });
  const total = (await flow.logProb(grid)).reduce((sum, v) => sum + Math.exp(v) * step * step, 0);
  expect(Math.abs(total - 1)).toBeLessThan(0.02);
  // The best possible value is the entropy of the two Gaussians. After the first epochs the flow is still almost a Gaussian.
  const best = -Math.log(2 * Math.PI * Math.E) - Math.log(0.5);
  // From the first epoch on, running statistics are as good as those of a batch.
  for (const { trainLogDensity, validationLogDensity } of result.epochs)
    expect(validationLogDensity).toBeGreaterThan(trainLogDensity - 0.15);
  expect(result.validationLogDensity).toBeGreaterThan(options.epochs === 1 ? best - 1.2 : best - 0.2);
});

test("a training run that resumes from any epoch has exactly the same statistics, weights and records", async () => {
  const data = bananaRows(300);
  const options = { epochs: 5, averageDecay: 0.9, batchSize: 64 };
  const store = memoryStore();
  const whole = forTables(build());
  const expected = await fit(whole, data, { ...options, checkpoint: store });
  for (const epoch of [0, 3]) {
    const flow = forTables(build());
    expect(await fit(flow, data, { ...options, checkpoint: memoryStore(store.saved[epoch]) })).toEqual(
      expected,
    );
    expect(valuesOf(flow)).toEqual(valuesOf(whole));
  }
});

test("the result does not depend on the number of threads", async () => {
  const flows = [build(), build()];
  for (const [i, threads] of [1, 2].entries())
    await fit(flows[i], bananaRows(700), { epochs: 2, batchSize: 256, threads });
  expect(valuesOf(flows[1])).toEqual(valuesOf(flows[0]));
});

test("the result has the running statistics of the best epoch", async () => {
  const copies: number[][] = [];
  const flow = build();
  const { bestEpoch, epochs } = await fit(flow, bananaRows(30), {
    epochs: 60,
    patience: 60,
    batchSize: 16,
    averageDecay: 0,
    validation: bananaRows(60, 5),
    optimizer: { learningRate: 0.05 },
    onEpoch: () => copies.push(running(flow).flatMap(({ value }) => [...value])),
  });
  expect(bestEpoch).toBeGreaterThan(0);
  expect(bestEpoch).toBeLessThan(epochs.length);
  const now = running(flow).flatMap(({ value }) => [...value]);
  expect(now).toEqual(copies[bestEpoch - 1]);
  expect(now).not.toEqual(copies.at(-1));
});

test("padding the last batch with random rows keeps its statistics representative", async () => {
  // The last batch has only one row, whose variance would be 0.
  const own = new BatchNorm({ features: 2, decay: 0 });
  const flow = new Flow(new StandardNormal({ features: 2 }), own);
  const data = bananaRows(257).map((v) => 100 + 10 * v);
  await fit(flow, data, {
    epochs: 1,
    batchSize: 256,
    validation: data,
    patience: 100,
    averageDecay: 0,
  });
  expect(own.variance.value[0]).toBeGreaterThan(60);
  expect(own.variance.value[0]).toBeLessThan(150);
});

test("a step that is not finite does not change the running statistics", async () => {
  const flow = new Flow(new StandardNormal({ features: 2 }), new Chain([new BatchNorm({ features: 2 })]));
  const data = bananaRows(200);
  // The square of such an outlier overflows.
  data[20] = 1e25;
  await expect(fit(flow, data, { epochs: 1, batchSize: 64, initialize: false })).rejects.toThrow(
    "training failed",
  );
  for (const { value } of running(flow)) expect([...value].every(Number.isFinite)).toBe(true);
});

test("fitDensity uses the running statistics and does not change them", async () => {
  const flow = build();
  const before = running(flow).flatMap(({ value }) => [...value]);
  const result = await fitDensity(flow, (x) => x.sub(1).square().sum(1).mul(-0.5), {
    steps: 200,
    batchSize: 64,
  });
  expect(running(flow).flatMap(({ value }) => [...value])).toEqual(before);
  expect(Math.abs(result.logNormalizer - Math.log(2 * Math.PI))).toBeLessThan(0.05);
});

test("a model file contains the running statistics", async () => {
  const flow = build();
  await fit(flow, bananaRows(300), { epochs: 2 });
  const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["a", "b"], given: [] }));
  expect(await read.logProb(bananaRows(20, 3))).toEqual(await flow.logProb(bananaRows(20, 3)));
});
