import { expect, test } from "vitest";
import { type Case, parseCases } from "../../bench/speed/cases.ts";
import { countFlopsOf, executedFlops } from "../../bench/speed/executedFlops.ts";
import { flops } from "../../bench/speed/flops.ts";
import { prepareMeasurement } from "../../bench/speed/measure.ts";
import { type Flow, glow, iaf, maf, nice, nsf, type RecipeOptions, realNVP } from "../../src/flows/index.ts";
import { filled, grad, input, type Tensor } from "../../src/graph/index.ts";
import { conv2d } from "../../src/graph/operations/convolution.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { perturb } from "../nn/perturb.ts";

/** Enough rows to reach every bin of a spline. */
const ROWS = 500;
const shape = { dim: 5, transforms: 3, hidden: [9, 3] };
const sampled = (flow: string): Case => ({ name: flow, job: "sample", flow, ...shape, rows: 10 });

/** Number of weights with a nonzero gradient of the log-density: masked weights have none. */
async function weightsUnderMasks(
  recipe: (features: number, options: RecipeOptions) => Flow,
): Promise<number> {
  const { dim, transforms, hidden } = shape;
  const flow = recipe(dim, { transforms, hidden, activation: "tanh" });
  perturb(flow.parameters());
  const matrices = [...flow.parameters().values()].filter((parameter) => parameter.rank === 2);
  const gradients = compile((x) => grad(flow.logProb(x).sum(), matrices), [["N", dim]], {
    precision: "float64",
  });
  const x = new Random(0).normal(new Float64Array(ROWS * dim)).map((v) => 3 * v);
  return (await gradients(x)).reduce((sum, g) => sum + g.filter((v) => v !== 0).length, 0);
}

test.each([
  ["maf", maf],
  ["iaf", iaf],
  ["nsf", nsf],
  ["realnvp", realNVP],
  ["nice", nice],
] as const)("a pass of %s has 2 operations for each unmasked weight and row", async (name, recipe) => {
  expect(flops(sampled(name))).toBe(10 * 2 * (await weightsUnderMasks(recipe)));
});

test("a pass of glow counts couplings and linear maps, including the diagonals that are stored as vectors", async () => {
  const diagonals = 2 * shape.dim * shape.transforms;
  expect(flops(sampled("glow"))).toBe(10 * 2 * ((await weightsUnderMasks(glow)) + diagonals));
});

test("a planar layer is two products with vectors, and its training step has no gradient of the data", () => {
  const [step] = parseCases(
    `[{"name": "a", "job": "train", "flow": "planar", "dim": 2, "transforms": 3, "batch": 7}]`,
  );
  expect(flops(step)).toBe(7 * (2 * 3 * 3 * 4 - 2 * 2));
});

test("a training step has three products for each weight, but two in the layer next to the data", () => {
  const [step] = parseCases(
    `[{"name": "a", "job": "train", "flow": "realnvp", "dim": 4, "transforms": 2, "hidden": [10, 20], "batch": 7}]`,
  );
  const weights = 2 * 10 + 10 * 20 + 20 * 4;
  expect(flops(step)).toBe(7 * (2 * 3 * 2 * weights - 2 * 2 * 10));
});

test("flops is undefined for flows that it does not know", () => {
  for (const flow of ["cnf", "sylvester"]) expect(flops(sampled(flow))).toBeUndefined();
});

test("a graph executes 2 operations for each element of a product and each term of its sum", () => {
  const weight = filled(1, [3, 5]);
  const program = (x: Tensor) => {
    const y = x.matmul(weight).relu();
    return [y.matmul(filled(2, [7, 5]), { transposeB: true }), x.contractLeading(y)];
  };
  const { graph } = compile(program, [["N", 3]]);
  expect(executedFlops(graph, 4)).toBe(4 * 2 * (3 * 5 + 5 * 7 + 3 * 5));
});

const small = { dim: 4, transforms: 2, hidden: [16, 32], batch: 64 };
const step = (flow: string): Case => ({ name: flow, job: "train", flow, ...small });

async function executedFlopsOf(benchCase: Case): Promise<number> {
  const once = { repeats: 1, budgetMs: 1, warmUpMs: 0 };
  const { operations } = await countFlopsOf(benchCase, () => prepareMeasurement(benchCase)(once));
  return operations!;
}

test("a training step of couplings executes what flops counts, and one of masked networks executes more", async () => {
  expect(await executedFlopsOf(step("realnvp"))).toBe(flops(step("realnvp")));
  expect(await executedFlopsOf(step("maf"))).toBeGreaterThan(flops(step("maf"))!);
});

test("a convolution has 2 operations for each element of its kernel, each input and output, and each pixel", () => {
  const convolved = conv2d(input("x", ["N", 5, 4, 2]), filled(1, [3, 3, 2, 7]));
  expect(executedFlops({ nodes: [convolved] }, 10)).toBe(2 * 10 * 5 * 4 * 3 * 3 * 2 * 7);
});

test("the gradients of a convolution have as many operations each as the convolution, whose channels fill blocks", () => {
  const gradients = (x: Tensor, weight: Tensor) => {
    const value = conv2d(x, weight);
    return [value, ...grad(value.square().sum(), [x, weight])];
  };
  const { graph } = compile(
    gradients,
    [
      ["N", 5, 4, 16],
      [3, 3, 16, 32],
    ],
    { batch: 8 },
  );
  expect(executedFlops(graph, 8)).toBe(3 * 2 * 8 * 5 * 4 * 3 * 3 * 16 * 32);
});
