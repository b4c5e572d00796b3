import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { ContextEmbedding, DiagonalNormal } from "../../src/distributions/index.ts";
import {
  bnaf,
  cnf,
  embedContext,
  type Flow,
  glow,
  maf,
  mixtureFlow,
  nsf,
  planarFlow,
  type RecipeOptions,
  realNVP,
  residualFlow,
} from "../../src/flows/index.ts";
import { grad } from "../../src/graph/index.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random, toys } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { buildFlow, decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { allFinite, copyParameters } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const float64 = { precision: "float64" } as const;
const SIZE = 3;
/** An embedding of one number and one label with 2 classes. */
const embedding = () =>
  new ContextEmbedding({ numbers: 1, classes: [2], size: SIZE, network: { hidden: [5] } }, new Random(4));

const small: RecipeOptions = { context: SIZE, transforms: 2, hidden: [8] };
const conditionalBase = () =>
  new DiagonalNormal({ features: 2, context: SIZE, network: { hidden: [4] } }, new Random(5));
const FLOWS: Readonly<Record<string, () => Flow>> = {
  couplings: () => realNVP(2, small),
  glow: () => glow(2, small),
  autoregressive: () => maf(2, small),
  splines: () => nsf(2, small),
  continuous: () => cnf(2, { context: SIZE, hidden: [8] }),
  planar: () => planarFlow(2, small),
  "block autoregressive": () => bnaf(2, { context: SIZE, units: 3 }),
  residual: () => residualFlow(2, { context: SIZE, transforms: 1, hidden: [8] }),
  "a conditional base": () => maf(2, { ...small, context: 0, base: conditionalBase() }),
  "a base and layers": () => maf(2, { ...small, base: conditionalBase() }),
};

const partsOf = ({ base, bijection, embedding }: Flow) => ({ base, bijection, embedding });

describe.each(Object.entries(FLOWS))("an embedding of the context of %s", (_, build) => {
  const flow = embedContext(build(), embedding());
  perturb(flow.parameters(), 0.2);
  const rows = 6;
  const x = new Random(1).normal(new Float64Array(2 * rows));
  const context = Float64Array.from({ length: 2 * rows }, (_, i) =>
    i % 2 === 0 ? Math.sin(i) : (i >> 1) % 2,
  );

  test("encodes numbers and labels in all directions", async () => {
    expect(flow.context).toBe(2);
    const z = await flow.toLatent(x, context, float64);
    const back = await flow.toData(z, context, float64);
    back.forEach((v, i) => {
      expect(v).toBeCloseTo(x[i], 8);
    });
    const { samples, logProb } = await flow.sampleAndLogProb(rows, { context, ...float64 });
    const again = await flow.logProb(samples, context, float64);
    again.forEach((v, i) => {
      expect(v).toBeCloseTo(logProb[i], 8);
    });
    const [a, b, c] = await Promise.all(
      [
        [0.5, 0],
        [0.5, 1],
        [-0.5, 0],
      ].map(async (given) => (await flow.logProb([0.3, 0.4], given, float64))[0]),
    );
    expect(a).not.toBeCloseTo(b, 4);
    expect(a).not.toBeCloseTo(c, 4);
  });

  test("is trained with the flow", async () => {
    const parameters = trainableParameters({ embedding: flow.embedding });
    expect([...parameters.keys()]).toEqual([
      "embedding.network.layers.0.weight",
      "embedding.network.layers.0.bias",
      "embedding.network.layers.1.weight",
      "embedding.network.layers.1.bias",
    ]);
    const run = compile(
      (x, c) => grad(flow.logProb(x, c).sum(), [...parameters.values()]),
      [
        ["N", 2],
        ["N", 2],
      ],
      float64,
    );
    for (const gradient of await run(x, context)) {
      expect(allFinite(gradient)).toBe(true);
      expect(gradient.some((g) => g !== 0)).toBe(true);
    }
  });

  test("is part of the description, of a model file, and of an ONNX file", async () => {
    const logProb = await flow.logProb(x, context, float64);
    const rebuilt = buildFlow(JSON.parse(JSON.stringify(flow.describe())), { seed: 99 });
    copyParameters(partsOf(flow), partsOf(rebuilt));
    expect(await rebuilt.logProb(x, context, float64)).toEqual(logProb);
    const model = { flow, columns: ["a", "b"], given: ["number", "label"] };
    expect(await (await decodeModel(encodeModel(model))).flow.logProb(x, context, float64)).toEqual(logProb);

    const session = await InferenceSession.create(await flow.exportOnnx(float64));
    const result = await session.run({
      x: new Tensor("float64", x, [rows, 2]),
      context: new Tensor("float64", context, [rows, 2]),
    });
    logProb.forEach((value, i) => {
      expect(result.logProb.data[i]).toBeCloseTo(value, 10);
    });
  });
});

/** Rows of one toy density for each class, alternating, and their labels. */
const CLASSES = [toys.banana, toys.circles, toys.twoMoons];
function labelled(n: number, seed: number) {
  const draws = CLASSES.map((toy) => toy(n, { seed }));
  const label = Float64Array.from({ length: n }, (_, i) => i % 3);
  return { x: Float64Array.from({ length: 2 * n }, (_, i) => draws[(i >> 1) % 3][i]), label };
}
/** The class with the highest density for each row. All classes are equally likely. */
function likeliest(densities: readonly Float64Array[]): number[] {
  return Array.from(densities[0], (_, i) =>
    densities.reduce((best, density, k) => (density[i] > densities[best][i] ? k : best), 0),
  );
}
const accuracy = (chosen: number[], label: Float64Array) =>
  chosen.filter((k, i) => k === label[i]).length / chosen.length;

describe("a flow conditional on a class", () => {
  const train = labelled(3000, 1);
  const test_ = labelled(1500, 2);
  const settings = { epochs: 40, optimizer: { learningRate: 4e-3 }, seed: 1 } as const;
  const shape = { transforms: 3, hidden: [32, 32] };
  let withoutContext: number;
  beforeAll(async () => {
    const unconditional = forTables(nsf(2, shape));
    await fit(unconditional, train.x, settings);
    withoutContext = mean(await unconditional.logProb(test_.x));
  });

  test.each([
    ["one column a class", new ContextEmbedding({ classes: [3] })],
    [
      "a learned vector of each class",
      new ContextEmbedding({ classes: [3], size: 2, network: { hidden: [] } }),
    ],
  ])("fits the density of each class, from %s, and classifies rows", async (_, labels) => {
    const flow = forTables(embedContext(nsf(2, { ...shape, context: labels.size }), labels));
    await fit(flow, train.x, { ...settings, context: train.label });

    const given = mean(await flow.logProb(test_.x, test_.label));
    const truth = -CLASSES.reduce((sum, { entropy }) => sum + entropy, 0) / 3;
    const densities = await Promise.all(CLASSES.map((_, k) => flow.logProb(test_.x, [k])));
    const exact = CLASSES.map(({ logDensity }) => logDensity!(test_.x));
    const [ours, best] = [densities, exact].map((all) => accuracy(likeliest(all), test_.label));
    expect(given).toBeGreaterThan(truth - 0.2);
    expect(given).toBeLessThan(truth + 0.1);
    expect(given).toBeGreaterThan(withoutContext + 0.3);
    // The circles and the moons overlap, so no classifier is perfect.
    expect(ours).toBeGreaterThan(best - 0.05);
    expect(ours).toBeGreaterThan(2 / 3);
  });

  test("throws for labels that are not a class, with their row", async () => {
    const flow = embedContext(maf(2, { context: 3 }), new ContextEmbedding({ classes: [3] }));
    const wrong = train.label.slice();
    wrong[2000] = 3;
    await expect(fit(flow, train.x, { context: wrong })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: column 0 of the context of row 2000 is not a valid class label: expected an integer from 0 to 2, received 3.
      Encode the classes of each column as 0, 1, 2, ...]
    `);
    const validation = { values: [0, 0, 1, 1], context: [0, 0.5] };
    await expect(
      fit(flow, train.x, { context: train.label, validation }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: column "context" of rows has a different length: expected 4 numbers, as in "values", received 2.]`,
    );
    await expect(flow.logProb([0, 0, 1, 1], [1, -1])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: column 0 of the context of row 1 is not a valid class label: expected an integer from 0 to 2, received -1.
      Encode the classes of each column as 0, 1, 2, ...]
    `);
    await expect(flow.sample(5, { context: [0.5] })).rejects.toThrow("not a valid class label");
  });

  test("throws for invalid labels in a stream", async () => {
    const flow = embedContext(maf(2, { context: 3 }), new ContextEmbedding({ classes: [3] }));
    const stream = (bad: number) =>
      function* () {
        for (const at of [0, 1000, 2000]) {
          const context = train.label.slice(at, at + 1000);
          if (at === 1000) context[7] = bad;
          yield dataset(train.x.subarray(2 * at, 2 * (at + 1000)), { features: 2, context });
        }
      };
    expect((await fit(flow, stream(2), { epochs: 1 })).epochs).toHaveLength(1);
    await expect(fit(flow, stream(3), { epochs: 1 })).rejects.toThrow(
      "column 0 of the context of row 1007 is not a valid class label: expected an integer from 0 to 2, received 3.",
    );
  });
});

test("numbers far from 0 are standardized as without an embedding", async () => {
  const rows = 400;
  const context = new Random(1).normal(new Float64Array(rows)).map((v) => 5000 + 300 * v);
  const x = new Random(2).normal(new Float64Array(rows)).map((v, i) => context[i] + 20 * v);
  const options = { context, epochs: 5, seed: 3 };
  const plain = forTables(maf(1, { context: 1, hidden: [8] }));
  const embedded = forTables(
    embedContext(maf(1, { context: 1, hidden: [8] }), new ContextEmbedding({ numbers: 1 })),
  );
  await fit(plain, x, options);
  await fit(embedded, x, options);
  const [a, b] = await Promise.all([plain, embedded].map((flow) => flow.logProb(x, context)));
  expect(b).toEqual(a);
});

test("training throws for rows without a context", async () => {
  const flow = embedContext(maf(2, small), embedding());
  const x = new Random(1).normal(new Float64Array(40));
  const context = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? Math.cos(i) : 1));
  context[26] = Number.NaN;
  await expect(fit(flow, x, { context })).rejects.toThrow("row 13, column 0 of the context is NaN");
});

test("flow matching trains a continuous flow with its embedding", async () => {
  const rows = 600;
  const label = Float64Array.from({ length: rows }, (_, i) => i % 2);
  const x = new Random(6).normal(new Float64Array(rows)).map((v, i) => 0.5 * v + (label[i] === 0 ? -2 : 2));
  const labels = new ContextEmbedding({ classes: [2], size: 2, network: { hidden: [] } });
  const flow = embedContext(cnf(1, { context: 2, hidden: [32] }), labels);
  const start = labels.network!.layers[0].weight.value.slice();
  await fit(flow, x, {
    context: label,
    objective: "flowMatching",
    epochs: 60,
    optimizer: { learningRate: 0.01 },
  });
  expect(labels.network!.layers[0].weight.value).not.toEqual(start);
  for (const [k, center] of [-2, 2].entries())
    expect(mean(await flow.sample(2000, { context: [k] }))).toBeCloseTo(center, 0);
});

test("a mixture may have flows with separate embeddings", async () => {
  const flows = [maf(2, small), maf(2, { ...small, context: 0, base: conditionalBase() })];
  const parts = flows.map((flow, i) => {
    perturb(flow.parameters(), 0.2, i);
    return embedContext(flow, embedding());
  });
  const x = [0.3, -0.4];
  const [a, b, both] = await Promise.all(
    [...parts, mixtureFlow(parts)].map(async (flow) => (await flow.logProb(x, [0.5, 1], float64))[0]),
  );
  expect(both).toBeCloseTo(Math.log((Math.exp(a) + Math.exp(b)) / 2), 10);

  const rows = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i));
  const context = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 70 + (i % 4) : 1));
  await fit(mixtureFlow(parts), rows, {
    context,
    epochs: 1,
    validation: dataset(rows, { features: 2, context }),
  });
  for (const part of parts) expect(part.embedding?.scaler?.center.value[0]).toBeCloseTo(71, 10);
});

test("throws for an embedding of a wrong size", () => {
  const labels = new ContextEmbedding({ classes: [3] });
  expect(() => embedContext(maf(2, { context: 1 }), labels)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the flow and the embedding of the context have different numbers of features: expected 3 context features, received 1.
    Build the flow with \`context: 3\`, the size of the embedding.]
  `);
  expect(() =>
    embedContext(embedContext(maf(2, { context: 3 }), labels), labels),
  ).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the flow already has an embedding of its context.
    Use one embedding for all columns of the context.]
  `);
});
