import { expect, it } from "vitest";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { ContextEmbedding } from "../../src/distributions/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { gaussianBaseline } from "../../src/tables/evaluate/index.ts";

function rowsOf(values: number[], context: number[], rows: number): InMemoryDataset {
  return new InMemoryDataset({
    features: values.length / rows,
    values: Float64Array.from(values),
    context: Float64Array.from(context),
  });
}

const x = [1, 4, 2, 8, 5, 7];
const c = [1002, 1001, 1004, 1009, 1003, 1008];
const logNormal = (x: number, mean: number, variance: number) =>
  -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);

it("is the Gaussian of the mean and the variance of the rows", async () => {
  const density = await gaussianBaseline(rowsOf(x, [], 6));
  const variance = mean(x.map((value) => (value - mean(x)) ** 2));
  const [at3] = (await density!.logDensities(rowsOf([3], [], 1)))!;
  expect(at3).toBeCloseTo(logNormal(3, mean(x), variance), 7);
});

it("given other columns is linear regression", async () => {
  const density = await gaussianBaseline(rowsOf(x, c, 6));
  const slope =
    mean(x.map((value, i) => (value - mean(x)) * (c[i]! - mean(c)))) /
    mean(c.map((value) => (value - mean(c)) ** 2));
  const line = (at: number) => mean(x) + slope * (at - mean(c));
  const variance = mean(x.map((value, i) => (value - line(c[i]!)) ** 2));
  const [at3] = (await density!.logDensities(rowsOf([3], [1006], 1)))!;
  expect(at3).toBeCloseTo(logNormal(3, line(1006), variance), 6);
});

it("given a class has a mean for each, and one variance", async () => {
  const labels = [0, 1, 2, 0, 1, 2];
  const embedding = new ContextEmbedding({ numbers: 0, classes: [3] });
  const density = await gaussianBaseline(rowsOf(x, labels, 6), { embedding });
  const centers = [0, 1, 2].map((label) => mean(x.filter((_, i) => labels[i] === label)));
  const variance = mean(x.map((value, i) => (value - centers[labels[i]!]!) ** 2));
  const scores = await density!.logDensities(rowsOf([3, 3, 3], [0, 1, 2], 3));
  for (const [label, center] of centers.entries())
    expect(scores[label]).toBeCloseTo(logNormal(3, center, variance), 6);
});

it("leaves constant columns out, and gives rows with other values there probability 0", async () => {
  const besides = (values: number[], constant: number[]) =>
    rowsOf(
      values.flatMap((value, i) => [constant[i % constant.length]!, value]),
      [],
      values.length,
    );
  const constants = new Map([[0, 1.7e9 + 0.123]]);
  const unconditional = await gaussianBaseline(rowsOf(x, [], 6));
  const density = await gaussianBaseline(besides(x, [1.7e9 + 0.123]), { constants });
  expect(await density!.logDensities(besides([3, 9], [1.7e9 + 0.123]))).toEqual(
    await unconditional!.logDensities(rowsOf([3, 9], [], 2)),
  );
  expect([...(await density!.logDensities(besides([3], [1.7e9])))]).toEqual([Number.NEGATIVE_INFINITY]);
});

it("needs more rows than columns", async () => {
  expect(await gaussianBaseline(rowsOf([1, 2], [3, 4], 2))).toBeUndefined();
});
