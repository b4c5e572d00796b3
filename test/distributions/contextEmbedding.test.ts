import { expect, test } from "vitest";
import { ContextEmbedding, DiagonalNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const applied = (embedding: ContextEmbedding, context: number[]) =>
  compile((c) => embedding.apply(c), [["N", embedding.context]], { precision: "float64" })(context);

test("numeric columns are standardized by the data, and labels become one-hot columns", async () => {
  const embedding = new ContextEmbedding({ numbers: 2, classes: [3, 2] });
  expect([embedding.context, embedding.size]).toEqual([4, 7]);
  const context = Float64Array.from([10, 0.1, 2, 0, 20, 0.1, 0, 1, 30, 0.1, 1, 1]);
  embedding.fitToData({ rows: 3, features: 1, values: new Float64Array(3), context });
  const deviation = Math.sqrt(200 / 3);
  expectClose(
    await applied(embedding, [...context]),
    [
      [-10 / deviation, 0, 0, 0, 1, 1, 0],
      [0, 0, 1, 0, 0, 0, 1],
      [10 / deviation, 0, 0, 1, 0, 0, 1],
    ].flat(),
    1e-12,
    "columns",
  );
});

test("with an output activation the outputs are a hidden layer", async () => {
  const options = { numbers: 2, size: 3, network: { hidden: [4], activation: "tanh" as const } };
  const plain = new ContextEmbedding(options, new Random(1));
  const activated = new ContextEmbedding({ ...options, outputActivation: true }, new Random(1));
  const outputs = await applied(plain, [3, -2]);
  expectClose(await applied(activated, [3, -2]), [...outputs].map(Math.tanh), 1e-12, "outputs");
});

test("a network without hidden layers is a matrix with one row for each class", async () => {
  const options = { classes: [4], size: 3, network: { hidden: [] } };
  const embedding = new ContextEmbedding(options, new Random(1));
  const { weight, bias } = embedding.network!.layers[0];
  expect(weight.value.every((w) => w !== 0)).toBe(true);
  for (const label of [0, 3]) {
    const row = [0, 1, 2].map((j) => weight.value[3 * label + j] + bias.value[j]);
    expectClose(await applied(embedding, [label]), row, 1e-7, `class ${label}`);
  }
});

test("the embedding of an invalid or missing label is NaN", async () => {
  const embedding = new ContextEmbedding({ classes: [2] });
  const columns = await applied(embedding, [1, 2, 0.5, -1, Number.NaN]);
  expect([...columns.subarray(0, 2)]).toEqual([0, 1]);
  expect([...columns.subarray(2)].every(Number.isNaN)).toBe(true);
});

test("a normal distribution conditional on a label learns one normal distribution for each class", async () => {
  const base = new DiagonalNormal({ features: 2, context: 3, network: { hidden: [] } });
  const flow = new Flow(base, undefined, new ContextEmbedding({ classes: [3] }));
  perturb(parametersOf(flow), 0.5);
  const { weight, bias } = base.network!.layers[0];
  const bound = Math.log(1000);
  const x = [0.3, -1.2];
  for (const label of [0, 1, 2]) {
    const output = (j: number) => weight.value[4 * label + j] + bias.value[j];
    const expected = x
      .map((v, i) => {
        const s = base.logDeviation.value[i] + output(2 + i) / (1 + Math.abs(output(2 + i)) / bound);
        const z = (v - base.mean.value[i] - output(i)) * Math.exp(-s);
        return -0.5 * z * z - s - 0.5 * Math.log(2 * Math.PI);
      })
      .reduce((a, b) => a + b);
    expectClose(
      await flow.logProb(x, [label], { precision: "float64" }),
      [expected],
      1e-12,
      `class ${label}`,
    );
  }
});

test("invalid options are errors", () => {
  const make = (options: object) => () => new ContextEmbedding(options);
  expect(make({})).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an embedding of the context is not valid at numbers: expected at least one number or class, received nothing.]`,
  );
  expect(make({ classes: [1] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an embedding of the context is not valid at classes.0: expected at least 2, received 1.]`,
  );
  expect(make({ numbers: 2, size: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an embedding of the context is not valid at size: expected both a size and a network, or neither, received 3.]`,
  );
  expect(make({ numbers: 2, network: {} })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an embedding of the context is not valid at size: expected both a size and a network, or neither, received nothing.]`,
  );
});

test("the embedding of several items is the mean of the embeddings of single items, in any order and with one scale", async () => {
  const options = { numbers: 6, size: 2, network: { hidden: [4], activation: "tanh" as const } };
  const embedding = new ContextEmbedding({ ...options, items: 3 }, new Random(1));
  const ofItem = new ContextEmbedding({ ...options, numbers: 2 }, new Random(1));
  const context = new Random(2).normal(new Float64Array(60)).map((z) => 5 * z + 1);
  embedding.fitToData({ rows: 10, features: 1, values: new Float64Array(10), context });
  ofItem.fitToData({ rows: 30, features: 1, values: new Float64Array(30), context });
  const [a, b, c] = [
    [1, 2],
    [-3, 8],
    [0.5, 4],
  ];
  const outputs = await applied(ofItem, [...a, ...b, ...c]);
  const mean = [0, 1].map((j) => (outputs[j] + outputs[2 + j] + outputs[4 + j]) / 3);
  expectClose(await applied(embedding, [...a, ...b, ...c]), mean, 1e-12, "mean");
  expectClose(await applied(embedding, [...c, ...a, ...b]), mean, 1e-12, "in another order");
  expect(() => new ContextEmbedding({ ...options, items: 4 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an embedding of the context is not valid at items: expected a divisor of numbers, with a network and without classes, received 4.]`,
  );
});
