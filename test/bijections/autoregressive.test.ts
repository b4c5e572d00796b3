import { describe, expect, test } from "vitest";
import { Autoregressive } from "../../src/bijections/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { perturb } from "../nn/perturb.ts";
import { applyDirection, setParameters } from "./apply.ts";
import { expectClose } from "./invariants.ts";

describe("separate conditioners", () => {
  test("have a network for each shift and each scale, which sees the preceding features", async () => {
    const map = new Autoregressive(
      { order: [1, 0], conditioner: "separate", network: { hidden: [] } },
      new Random(0),
    );
    // Shifts of features 0 and 1, then their scales. Feature 1 is the first one, so its parameters do not depend on others.
    expect([...parametersOf(map).keys()]).toEqual([
      "network.networks.0.layers.0.weight",
      "network.networks.0.layers.0.bias",
      "network.networks.1",
      "network.networks.2.layers.0.weight",
      "network.networks.2.layers.0.bias",
      "network.networks.3",
    ]);
    setParameters(map, {
      "networks.0.layers.0.weight": [2],
      "networks.0.layers.0.bias": [0.5],
      "networks.1": [-1],
      "networks.2.layers.0.weight": [0.3],
      "networks.2.layers.0.bias": [0.1],
      "networks.3": [0.2],
    });
    const clamp = (a: number) => a / (1 + Math.abs(a) / Math.log(1000));
    const x = [1.5, -0.5];
    const scales = [clamp(0.3 * x[1] + 0.1), clamp(0.2)];
    const { value, logDet } = await applyDirection(map, "inverse", x);
    expectClose(
      value,
      [x[0] * Math.exp(scales[0]) + 2 * x[1] + 0.5, x[1] * Math.exp(scales[1]) - 1],
      1e-13,
      "z",
    );
    expect(logDet[0]).toBeCloseTo(scales[0] + scales[1], 12);
    expectClose((await applyDirection(map, "forward", [...value])).value, x, 1e-13, "x");
  });
});

test.each(["masked", "separate"] as const)(
  "is linear without hidden layers and with additive transforms, with a %s conditioner",
  async (conditioner) => {
    const map = new Autoregressive(
      { order: [0, 1, 2], conditioner, transform: { type: "additive" }, network: { hidden: [] } },
      new Random(0),
    );
    perturb(parametersOf(map));
    const rows = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, -2, 3];
    const { value, logDet } = await applyDirection(map, "inverse", rows);
    const row = (r: number) => [...value.subarray(3 * r, 3 * r + 3)];
    const columns = [1, 2, 3].map((r) => row(r).map((v, i) => v - row(0)[i]));
    // x + x A with a strict triangle A, and a constant.
    columns.forEach((column, j) => {
      expectClose(column.slice(0, j + 1), [...new Array(j).fill(0), 1], 1e-14, "triangle");
    });
    const sum = row(0).map((v, i) => v + columns[0][i] - 2 * columns[1][i] + 3 * columns[2][i]);
    expectClose(row(4), sum, 1e-13, "a linear combination");
    expect([...logDet]).toEqual([0, 0, 0, 0, 0]);
  },
);

test.each(["masked", "separate"] as const)(
  "a missing context of a %s conditioner is an error",
  (conditioner) => {
    const bijection = new Autoregressive({ order: [0, 1], context: 2, conditioner }, new Random(0));
    const x = input("x", ["N", 2]);
    for (const map of [() => bijection.inverse(x), () => bijection.forward(x)])
      expect(map).toThrow("the context of a network is missing: expected 2, received none.");
    expect(() => bijection.inverse(input("x", ["N", 3]), x)).toThrow(
      "the input of a network has a wrong number of features: expected 2, received 3.",
    );
  },
);
