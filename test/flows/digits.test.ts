import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bitsPerDimension } from "../../src/evaluate/index.ts";
import { dequantize, type Flow, glow, realNVP, tarflow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";
import { root } from "../package/packed.ts";

// Multi-scale flows learn the 8 x 8 digits of examples/data. In bits per dimension of held-out images, a uniform distribution has
// 4.09, a Gaussian with all covariances of the logits 2.46, and independent histograms of the pixels 2.43. A flow with a wrong
// log-determinant, mask or prior does not come below.
const FLOOR = 2.3;

const text = gunzipSync(readFileSync(join(root, "examples/data/digits.csv.gz"))).toString();
const digits = text
  .trim()
  .split("\n")
  .map((line) => line.split(",").map(Number));
const order = new Random(1).permutation(digits.length);
const rowsOf = (start: number, end?: number) => Array.from(order.subarray(start, end), (i) => digits[i]);
const pixelsOf = (rows: readonly number[][]) => rows.map((row) => row.slice(0, 64));
const labelsOf = (rows: readonly number[][]) => rows.map((row) => row[64]);
const [train, held] = [rowsOf(300), rowsOf(0, 300)];

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
const bits = async (model: Flow) => bitsPerDimension(mean(await model.logProb(pixelsOf(held))), 64);
const options = { image: [8, 8, 1] as [number, number, number], values: 17 };
const settings = { batchSize: 64, optimizer: { learningRate: 3e-3 }, threads: 1 };

test("glow learns the digits, samples them and maps them back exactly", { timeout: 120_000 }, async () => {
  const flow = glow({ ...options, steps: 4, width: 32 });
  const model = dequantize(flow);
  expect(await bits(model)).toBeGreaterThan(4);
  await fit(model, pixelsOf(train), { ...settings, epochs: 14 });
  expect(await bits(model)).toBeLessThan(FLOOR);

  const images = pixelsOf(held).map((image) => image.map((value) => value + 0.5));
  const back = await flow.toData(await flow.toLatent(images));
  images.flat().forEach((value, i) => {
    expect(Math.abs(back[i] - value)).toBeLessThan(1e-3);
  });

  // Each pixel of the samples has about the mean and the deviation of the data.
  const samples = await model.sample(1500, { seed: 1 });
  const columns = (rows: ArrayLike<number>) =>
    Array.from({ length: 64 }, (_, c) =>
      Array.from({ length: rows.length / 64 }, (_, r) => rows[64 * r + c]),
    );
  const meansOf = (rows: ArrayLike<number>) => columns(rows).map(mean);
  const [ours, theirs] = [meansOf(samples), meansOf(pixelsOf(train).flat())];
  expect(mean(ours.map((m, i) => Math.abs(m - theirs[i])))).toBeLessThan(0.7);
});

test("realNVP learns the digits", { timeout: 120_000 }, async () => {
  const model = dequantize(realNVP({ ...options, levels: 1, steps: 3, width: 16, blocks: 1 }));
  await fit(model, pixelsOf(train), { ...settings, epochs: 10 });
  expect(await bits(model)).toBeLessThan(FLOOR);
});

test("tarflow learns the digits", { timeout: 120_000 }, async () => {
  const model = dequantize(tarflow({ ...options, patch: 2, transforms: 6, layers: 1, width: 32 }));
  await fit(model, pixelsOf(train), { ...settings, optimizer: { learningRate: 5e-3 }, epochs: 14 });
  expect(await bits(model)).toBeLessThan(FLOOR);
  const samples = await model.sample(200, { seed: 1 });
  expect(Math.abs(mean(samples) - mean(pixelsOf(train).flat()))).toBeLessThan(0.5);
});

test("glow with classes recognizes digits by Bayes' rule", { timeout: 120_000 }, async () => {
  const model = dequantize(glow({ ...options, steps: 4, width: 32, classes: 10 }));
  const context = labelsOf(train).map((label) => [label]);
  await fit(model, pixelsOf(train), { ...settings, epochs: 14, context });
  const byClass = await Promise.all(
    Array.from({ length: 10 }, (_, label) => model.logProb(pixelsOf(held), [label])),
  );
  const correct = labelsOf(held).filter((label, row) =>
    byClass.every((values) => values[row] <= byClass[label][row]),
  );
  expect(correct.length / held.length).toBeGreaterThan(0.8);
});
