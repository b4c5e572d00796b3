import { describe, expect, test } from "vitest";
import type { Chain } from "../../src/bijections/index.ts";
import {
  bnaf,
  bpf,
  type Flow,
  gaussianization,
  naf,
  residualFlow,
  sospf,
  umnn,
} from "../../src/flows/index.ts";
import { Random, toys } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const layersOf = (flow: Flow) => (flow.bijection as Chain).bijections.map((layer) => layer.describe());

test("each recipe has the layers of its options", () => {
  const transform = (flow: Flow) => layersOf(flow)[0].transform;
  expect(transform(naf(2, { units: 3, sigmoidLayers: 2 }))).toEqual({
    type: "deepSigmoidal",
    units: 3,
    layers: 2,
  });
  expect(transform(umnn(2, { units: 3, nodes: 9, bound: 2 }))).toEqual({
    type: "monotonicNetwork",
    units: 3,
    nodes: 9,
    bound: 2,
  });
  expect(transform(sospf(2))).toEqual({ type: "sumOfSquares", degree: 4, bound: 5 });
  expect(transform(bpf(2))).toEqual({ type: "bernstein", degree: 16, bound: 5 });
  expect(layersOf(residualFlow(2, { lipschitz: 0.5, hidden: [7], context: 1, transforms: 2 }))).toEqual(
    new Array(2).fill({ type: "residual", features: 2, context: 1, hidden: [7], lipschitz: 0.5 }),
  );
  const [reordered, first] = layersOf(bnaf(3, { units: 2, layers: 1, transforms: 2, context: 1 }));
  expect(first).toEqual({ type: "blockAutoregressive", features: 3, context: 1, units: 2, layers: 1 });
  expect(reordered).toMatchObject({ bijections: [first, { type: "permutation", order: [2, 1, 0] }] });
  expect(layersOf(gaussianization(2, { components: 3, transforms: 1 }))).toMatchObject([
    {
      bijections: [
        { type: "elementwise", transform: { type: "gaussianization", components: 3 } },
        { type: "householder" },
      ],
    },
  ]);
});

test("gaussianization leaves its initialization and fits a density that is not Gaussian", async () => {
  const data = toys.twoMoons(4000, { seed: 0 });
  const flow = forTables(gaussianization(2, { transforms: 4 }));
  const { validationLogDensity } = await fit(flow, data, {
    epochs: 12,
    threads: 1,
    optimizer: { learningRate: 0.01 },
  });
  // A Gaussian of the same covariance has -3.293 nats.
  expect(validationLogDensity).toBeGreaterThan(-3.293 + 0.3);
});

const small = { transforms: 2, hidden: [6] };

describe.each([
  ["naf", () => naf(2, { ...small, units: 4 })],
  ["umnn", () => umnn(2, { ...small, units: 4, nodes: 16 })],
  ["sospf", () => sospf(2, small)],
  ["bpf", () => bpf(2, { ...small, degree: 8 })],
  ["bnaf", () => bnaf(2, { transforms: 2, units: 4 })],
  ["gaussianization", () => gaussianization(2, { transforms: 2, components: 4 })],
  ["residual", () => residualFlow(2, { ...small, transforms: 3 })],
] as const)("%s", (_, make) => {
  const data = new Random(1).normal(new Float64Array(800)).map((v, i) => 0.3 * v + (i % 4 < 2 ? 1 : -1));
  const mean = async (flow: Flow) =>
    (await flow.logProb(data, undefined, { threads: 1 })).reduce((sum, v) => sum + v) / 400;

  test("fits two clusters, and samples from them", async () => {
    const flow = make();
    perturb(flow.parameters(), 0.02);
    const before = await mean(flow);
    await fit(flow, data, { epochs: 15, batchSize: 100, threads: 1, optimizer: { learningRate: 0.02 } });
    expect(await mean(flow)).toBeGreaterThan(before + 0.3);
    const { samples, logProb } = await flow.sampleAndLogProb(20, { threads: 1 });
    expectClose(
      await flow.logProb(samples, undefined, { threads: 1 }),
      logProb,
      1e-3,
      "log-density of samples",
    );
  });
});
