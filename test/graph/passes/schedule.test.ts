import { expect, test } from "vitest";
import { buildGraph, concat, grad, input, type Tensor } from "../../../src/graph/index.ts";
import { schedule } from "../../../src/graph/passes/schedule.ts";
import { sizeOf } from "../../../src/graph/shape.ts";

const x = input("x", ["N", 3]);
const weights = [3, 4, 5, 6, 7].map((rows, i) => input(`w${i}`, [rows, rows + 1]));
const h = weights.reduce<Tensor>((h, weight) => h.matmul(weight).tanh(), x);
const loss = h.square().sum();
const gradients = grad(loss, weights);

const nodesOf = (outputs: Record<string, Tensor>) => schedule(buildGraph([x, ...weights], outputs));
const lastOf = (outputs: Record<string, Tensor>, count: number) =>
  nodesOf(outputs)
    .slice(-count)
    .map(({ operation, shape }) => `${operation.name} ${shape.join("x")}`);

const joined = (...parts: Tensor[]) =>
  concat(
    parts.map((part) => part.reshape([sizeOf(part.shape)])),
    0,
  );

test("gradients come last, at the very end those that can be computed first", () => {
  const outputs = { loss, ...Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient])) };
  expect(lastOf(outputs, 6)).toEqual([
    "matmul 3x4",
    "matmul 4x5",
    "matmul 5x6",
    "matmul 6x7",
    "matmul 7x8",
    "sum ",
  ]);
});

test("outputs of several sums come before the others, in the order of their sizes", () => {
  const [g0, g1, g2, g3, g4] = gradients;
  expect(lastOf({ large: joined(g3, g4), small: joined(g0, g1), g2 }, 11)).toEqual([
    "matmul 3x4",
    "matmul 4x5",
    "reshape 12",
    "reshape 20",
    "concat 32",
    "matmul 6x7",
    "matmul 7x8",
    "reshape 42",
    "reshape 56",
    "concat 98",
    "matmul 5x6",
  ]);
});

test("inputs come before outputs, also if a sum over rows is read by other nodes", () => {
  const mean = x.sum(0);
  const centered = x.sub(mean).square();
  const outputs = {
    mean: mean.mul(2),
    variance: centered.sum(0),
    centered,
    total: centered.sum(0).add(mean).sum(),
  };
  for (const nodes of [nodesOf(outputs), nodesOf({ loss, all: joined(...gradients), last: gradients[4] })]) {
    const place = new Map(nodes.map((node, i) => [node, i]));
    expect(place.size).toBe(nodes.length);
    for (const node of nodes)
      for (const parent of node.inputs) expect(place.get(parent)).toBeLessThan(place.get(node)!);
  }
});
