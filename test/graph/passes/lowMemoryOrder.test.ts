import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { buildGraph, input, type Tensor } from "../../../src/graph/index.ts";
import { lowMemoryOrder, peakNumbersPerRow } from "../../../src/graph/passes/lowMemoryOrder.ts";
import { ancestors } from "../../../src/graph/traversal.ts";
import { exportOnnx } from "../../../src/onnx/index.ts";

const WIDTH = 1000;
const TERMS = 6;

/** exp(w x) + exp(2 w x) + ..., where w x is computed anew in each term. */
function sumOfTerms(x: Tensor): Tensor {
  const term = (k: number) =>
    x
      .mul(k + 1)
      .matmul(weights)
      .exp();
  let sum = term(0);
  for (let k = 1; k < TERMS; k++) sum = sum.add(term(k));
  return sum.sum([1]);
}
const x = input("x", ["N", 2]);
const weights = input("w", [2, WIDTH]);

/** The operations in the order in which ONNX Runtime executes them. */
async function executed(onnx: Uint8Array): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-order-"));
  const session = await InferenceSession.create(onnx, {
    enableProfiling: true,
    profileFilePrefix: join(folder, "profile"),
    graphOptimizationLevel: "disabled",
  });
  const tensor = (dims: number[]) =>
    new OrtTensor("float32", new Float32Array(dims[0]! * dims[1]!).fill(0.1), dims);
  await session.run({ x: tensor([3, 2]), w: tensor([2, WIDTH]) });
  session.endProfiling();
  await session.release();
  const [file] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file!), "utf8"));
  rmSync(folder, { recursive: true });
  return events
    .filter(({ cat, name }: { cat: string; name: string }) => cat === "Node" && name.endsWith("_kernel_time"))
    .map(({ args }: { args: { op_name: string } }) => args.op_name);
}

test("ONNX Runtime adds each term of a sum before it computes the next, and not in the order of tracing", async () => {
  const y = sumOfTerms(x);
  const inputs = [x, weights].map((tensor) => ({ name: tensor.name!, tensor }));
  const orderOf = async (nodes: Tensor[]) => {
    const graph = { inputs, parameters: [], outputs: [{ name: "y", tensor: y }], nodes };
    return (await executed(exportOnnx(graph))).filter((name) => name === "Exp" || name === "Add");
  };
  const term = ["Exp", "Add"];
  expect(await orderOf(lowMemoryOrder([y]))).toEqual([
    "Exp",
    ...Array(TERMS - 1)
      .fill(term)
      .flat(),
  ]);
  expect(await orderOf(ancestors([y]))).toEqual([
    ...Array(TERMS).fill("Exp"),
    ...Array(TERMS - 1).fill("Add"),
  ]);
});

test("the numbers that are held at once do not grow with the number of terms", () => {
  const y = sumOfTerms(x);
  // Two terms and their sum, or a term before and after exp, beside the sum so far; and a few numbers of x.
  expect(Math.floor(peakNumbersPerRow(lowMemoryOrder([y]), [y]) / WIDTH)).toBe(3);
  expect(Math.floor(peakNumbersPerRow(ancestors([y]), [y]) / WIDTH)).toBe(TERMS + 1);
});

test("each node comes after its inputs, also where several nodes read one", () => {
  const shared = x.matmul(weights);
  const terms = [1, 2, 3, 4, 5].map((k) => shared.mul(k).exp().mul(shared));
  const { nodes } = buildGraph([x, weights], {
    a: terms.reduce((sum, term) => sum.add(term)).sum([1]),
    b: shared.sum([1]),
  });
  const position = new Map(nodes.map((node, i) => [node, i]));
  expect(position.size).toBe(nodes.length);
  for (const [i, { inputs }] of nodes.entries())
    for (const each of inputs) expect(position.get(each)).toBeLessThan(i);
});

test("a graph with a loss keeps the order of tracing", () => {
  const { nodes } = buildGraph([x, weights], { loss: sumOfTerms(x).sum() });
  expect(nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id).sort((a, b) => a - b));
});
