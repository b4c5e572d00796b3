import { describe, expect, test } from "vitest";
import { parse } from "../../src/check/parse.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { activationSchema } from "../../src/nn/activation.ts";
import { hiddenSizes, MLP, networkSchema } from "../../src/nn/mlp.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "./perturb.ts";

const x = new Random(1).normal(new Float64Array(12));

/** An MLP computed by loops over its parameters. */
function byHand(network: MLP, input: number[], activation: (x: number) => number): number[] {
  const layer = (i: number, values: number[]) => {
    const { weight, bias } = network.layers[i];
    return Array.from(bias.value, (b, j) =>
      values.reduce((sum, v, k) => sum + v * weight.value[k * bias.value.length + j], b),
    );
  };
  const last = network.layers.length - 1;
  let value = layer(0, input);
  if (network.options.residual) {
    for (let i = 1; i < last; i += 2) {
      const inner = layer(i, value.map(activation));
      const change = layer(i + 1, inner.map(activation));
      value = value.map((v, k) => v + change[k]);
    }
  } else {
    for (let i = 1; i < last; i++) value = layer(i, value.map(activation));
  }
  return layer(last, value.map(activation));
}

describe("MLP", () => {
  test.each([
    { hidden: [5, 4], activation: "tanh" as const },
    { hidden: [5], activation: "tanh" as const, residual: true },
    { hidden: [5, 5, 5], activation: "tanh" as const, residual: true },
  ])("%j equals its formula", async (options) => {
    const network = new MLP(3, 2, networkSchema.parse(options), new Random(0), 1);
    perturb(parametersOf(network));
    const run = compile(
      (x, c) => network.apply(x, c),
      [
        ["N", 3],
        ["N", 1],
      ],
      { precision: "float64" },
    );
    const context = Float64Array.of(0.5, -1, 2, 0);
    const rows = [0, 1, 2, 3].map((r) => [...x.subarray(3 * r, 3 * r + 3), context[r]]);
    expectClose(
      await run(x, context),
      rows.flatMap((row) => byHand(network, row, Math.tanh)),
      1e-12,
      "outputs",
    );
  });

  test("starts at 0 with every activation", async () => {
    for (const activation of activationSchema.options) {
      const network = new MLP(3, 2, networkSchema.parse({ hidden: [5], activation }), new Random(0));
      expect([...(await compile((x) => network.apply(x), [["N", 3]])(x))]).toEqual(new Array(8).fill(0));
    }
  });

  test("draws different weights for each layer, and the same for the same seed", () => {
    const values = (seed: number) =>
      [
        ...parametersOf(new MLP(3, 3, networkSchema.parse({ hidden: [3, 3] }), new Random(seed))).values(),
      ].map(({ value }) => [...value]);
    expect(values(1)).toEqual(values(1));
    expect(values(1)[0]).not.toEqual(values(2)[0]);
    expect(values(1)[2]).not.toEqual(values(1)[0]);
    for (const start of values(1).slice(0, 4).flat())
      expect(Math.abs(start)).toBeLessThanOrEqual(1 / Math.sqrt(3));
  });

  test("has two layers in each residual block", () => {
    const sizes = (hidden: number[], residual = true) =>
      hiddenSizes(networkSchema.parse({ hidden, residual }));
    expect(sizes([8, 6], false)).toEqual([8, 6]);
    expect(sizes([])).toEqual([]);
    expect(sizes([8])).toEqual([8, 8, 8]);
    expect(sizes([8, 8])).toEqual([8, 8, 8]);
    expect(sizes([8, 8, 8])).toEqual([8, 8, 8, 8, 8]);
  });

  test("rejects options that are not valid", () => {
    const check = (options: object) => () => parse(networkSchema, options, "a network");
    expect(check({ hidden: [8, 4], residual: true })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a network is not valid at hidden: expected equal widths, since the output of a residual block is added to its input, received [8,4].]`,
    );
    expect(check({ hidden: [0] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a network is not valid at hidden.0: expected more than 0, received 0.]`,
    );
    expect(check({ activation: "Relu" })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a network is not valid at activation: expected one of "relu", "leakyRelu", "elu", "gelu", "silu", "tanh", "softplus", "sigmoid", received "Relu".]`,
    );
  });
});

test("parameters are named by their path, each once, and parameters that are not trainable are left out of training", () => {
  const shared = new Parameter([1], [1]);
  const frozen = new Parameter([1], [2], { trainable: false });
  const tree = {
    a: { list: [shared, { frozen }] },
    again: shared,
    other: new Float32Array(3),
    text: "x",
    nothing: null,
  };
  expect([...parametersOf(tree).keys()]).toEqual(["a.list.0", "a.list.1.frozen"]);
  expect([...trainableParameters(tree).keys()]).toEqual(["a.list.0"]);
});
