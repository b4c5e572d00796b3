import { describe, expect, test } from "vitest";
import { buildGraph, concat, input, type Tensor } from "../../../src/graph/index.ts";
import { absorbBiases } from "../../../src/graph/passes/absorbBiases.ts";
import { Random } from "../../../src/random/index.ts";
import { compile, type Floats } from "../../../src/runtime/index.ts";
import { expectClose, layer, parameter } from "../run.ts";

const x = input("x", ["N", 3]);
const weight = input("weight", [3, 40]);

/** The products, relus and concatenations of the rewritten graph, each with its number of columns. */
function rewritten(...outputs: Tensor[]): string {
  const named = Object.fromEntries(outputs.map((output, i) => [`y${i}`, output]));
  const { nodes } = buildGraph([x, weight], named, { rewrite: absorbBiases });
  return nodes
    .filter(({ operation: { name }, shape }) => /affine|matmul|relu|concat/.test(name) && shape[0] === "N")
    .map(({ operation: { name }, shape }) => `${name} ${shape[1]}`)
    .join(", ");
}

describe("biases become weights of a column of ones", () => {
  test("that is concatenated to few inputs and passed on by the relu layer that reads them", () => {
    const hidden = layer(x, 40).relu();
    expect(rewritten(layer(layer(hidden, 50).relu(), 2))).toBe(
      "concat 4, matmul 41, relu 41, matmul 50, relu 50, affine 2",
    );
  });

  test("that several layers share", () => {
    const [first, second] = [20, 24].map((units) => layer(x, units).relu());
    expect(rewritten(layer(second, 32, layer(first, 32)))).toBe(
      "concat 4, matmul 21, relu 21, matmul 24, relu 24, matmul 32, affine 32",
    );
  });

  test("that are in the file once, however many layers have the same weights and biases", () => {
    const [weights, biases] = [parameter(3, 40), parameter(40)];
    const y = [x, x.exp(), x.sin()].map((rows) => rows.affine(weights, biases));
    const layers = buildGraph([x], { y: concat(y, 1) }, { rewrite: absorbBiases }).nodes.filter(
      ({ operation: { name } }) => name === "matmul",
    );
    expect(layers).toHaveLength(3);
    expect(new Set(layers.map(({ inputs: [, matrix] }) => matrix)).size).toBe(1);
  });

  test("with weight 0 for a layer that adds a tensor instead of a bias", () => {
    const hidden = layer(x, 40).relu();
    expect(rewritten(layer(hidden, 50), layer(hidden, 3, x))).toBe(
      "concat 4, matmul 41, relu 41, matmul 50, affine 3",
    );
  });

  test.each(["float32", "float64"] as const)("with the same results in %s", async (precision) => {
    const build = (x: Tensor) => {
      const [first, second] = [40, 24].map((units) => layer(x, units).relu());
      const third = layer(second, 32, layer(first, 32)).relu();
      return { joined: layer(third, 2), added: layer(first, 3, x), separate: layer(first, 50).tanh() };
    };
    expect(rewritten(...Object.values(build(x)))).toContain("matmul 41");
    const rows = new Random(1).split("rows").normal(new Float64Array(3 * 7));
    const call = async (embedParameters: boolean) => {
      const compiled = compile(build, [["N", 3]], { precision, embedParameters });
      const outputs: Record<string, Floats> = await compiled(rows);
      await compiled.release();
      return Object.values(outputs).flatMap((numbers) => [...numbers]);
    };
    expectClose(await call(true), await call(false), precision === "float64" ? 1e-13 : 1e-5);
  });
});

describe("biases stay", () => {
  const hidden = layer(x, 40).relu();
  const before = layer(x, 40);
  test.each<[string, string, ...Tensor[]]>([
    ["if a layer has few of them", "affine 20, relu 20, affine 2", layer(layer(x, 20).relu(), 2)],
    ["if the weights are not fixed", "affine 40", x.affine(weight, parameter(40))],
    ["if the bias is not fixed", "affine 40", x.affine(parameter(3, 40), weight.sum(0))],
    [
      "in the layer after another activation",
      "concat 4, matmul 40, affine 50",
      layer(layer(x, 40).tanh(), 50),
    ],
    [
      "if another node reads the units",
      "concat 4, matmul 40, relu 40, affine 50",
      layer(hidden, 50),
      hidden.sum(1),
    ],
    ["if the units are an output", "concat 4, matmul 40, relu 40, affine 50", layer(hidden, 50), hidden],
    [
      "if another node reads them before the activation",
      "concat 4, matmul 40, relu 40, affine 50",
      layer(before.relu(), 50),
      before,
    ],
    [
      "if the layer is not much wider than its inputs",
      "concat 4, matmul 64, affine 90",
      layer(layer(x, 64).tanh(), 90),
    ],
  ])("%s", (_where, expected, ...outputs) => {
    expect(rewritten(...outputs)).toBe(expected);
  });
});
