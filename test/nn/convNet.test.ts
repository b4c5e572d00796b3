import { expect, test } from "vitest";
import { grad } from "../../src/graph/grad.ts";
import { input } from "../../src/graph/tensor.ts";
import { ConvNet, type ConvNetOptions } from "../../src/nn/convNet.ts";
import { Convolution } from "../../src/nn/convolution.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "./perturb.ts";

const double = { precision: "float64" as const };
const x = new Random(1).normal(new Float64Array(2 * 25 * 2));

/** The outputs of a perturbed network for two images of 5 x 5 pixels with 2 channels. */
async function outputs(
  options: ConvNetOptions,
  input: Float64Array,
  context?: readonly number[],
  shape?: number | [number, number, number],
) {
  const network = new ConvNet(2, 3, { width: 4, ...options }, new Random(0), shape);
  perturb(parametersOf(network), 0.2);
  const width = context && context.length / 2;
  const run = compile(
    (x, c) => network.apply(x, c),
    [["N", 5, 5, 2], ...(width === undefined ? [] : [["N", width] as const])],
    double,
  );
  return run(input, ...(context ? [context] : []));
}

test.each(["plain", "residual", "gated"] as const)(
  "a %s network starts at 0 and sees as far as its convolutions",
  async (block) => {
    const network = new ConvNet(2, 3, { width: 4, block }, new Random(0));
    const run = compile((x) => network.apply(x), [["N", 5, 5, 2]], double);
    expect((await run(x)).every((value) => value === 0)).toBe(true);

    const original = await outputs({ block }, x);
    const moved = x.slice();
    moved[0] += 1;
    const changed = (await outputs({ block }, moved)).map((value, i) => value - original[i]);
    const radius = block === "plain" ? 2 : 3;
    changed.forEach((difference, i) => {
      const pixel = Math.floor(i / 3);
      const isNear = pixel < 25 && Math.max(Math.floor(pixel / 5), pixel % 5) <= radius;
      expect(difference !== 0, `pixel ${pixel}`).toBe(isNear);
    });
  },
);

test("a network has the defaults of its options, which are checked", async () => {
  const { blocks, first } = new ConvNet(2, 3, {}, new Random(0));
  expect([blocks.length, first.weight.sizes.at(-1)]).toEqual([1, 64]);
  expect(() => new ConvNet(2, 3, { width: 0 }, new Random(0))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a convolutional network is not valid at width: expected more than 0, received 0.]`,
  );
});

test("a network moves its outputs with the image, away from the border", async () => {
  const image = (row: number, column: number) => {
    const pixels = new Float64Array(50);
    pixels.set([1, -2], 2 * (5 * row + column));
    return pixels;
  };
  const [a, b] = [await outputs({}, image(1, 2)), await outputs({}, image(2, 2))];
  const pixel = (values: ArrayLike<number>, row: number) =>
    Array.from({ length: 3 }, (_, k) => values[3 * (5 * row + 2) + k]);
  expectClose(pixel(b, 2), pixel(a, 1), 1e-12, "outputs");
});

test("a context of features is the same for all pixels, one that is an image is a further input", async () => {
  const without = await outputs({}, x, [0, 0, 0, 0], 2);
  const withFeatures = await outputs({}, x, [1, 2, 0, 0], 2);
  expect(withFeatures.subarray(75)).toEqual(without.subarray(75));
  expect(withFeatures.subarray(0, 75).every((value, i) => value !== without[i])).toBe(true);

  const images = new Array<number>(50).fill(0);
  const blank = await outputs({}, x, images, [5, 5, 1]);
  const marked = await outputs({}, x, images.with(0, 1), [5, 5, 1]);
  expect(marked[0]).not.toBe(blank[0]);
  expect(marked.subarray(3 * 24)).toEqual(blank.subarray(3 * 24));
});

test("with weight normalization a convolution starts equal, and depends on the direction of its weights only", async () => {
  const plain = new Convolution(2, 3, 3, new Random(0));
  const normalized = new Convolution(2, 3, 3, new Random(0), { weightNorm: true });
  const output = (convolution: Convolution) =>
    compile((x) => convolution.apply(x), [["N", 5, 5, 2]], double)(x);
  const expected = await output(plain);
  expectClose(await output(normalized), expected, 1e-6, "outputs at the start");

  normalized.weight.value = normalized.weight.value.map((v) => 5 * v);
  expectClose(await output(normalized), expected, 1e-6, "outputs with longer directions");

  normalized.scale!.value = normalized.scale!.value.map((g) => 2 * g);
  normalized.bias.value = normalized.bias.value.map((b) => 2 * b);
  const doubled = Array.from(expected, (value) => 2 * value);
  expectClose(await output(normalized), doubled, 1e-6, "outputs with twice the scale");
});

test("weight decay applies to the scales of normalized weights, and otherwise to the weights", () => {
  const decaying = (weightNorm: boolean) =>
    [...parametersOf(new Convolution(2, 3, 3, new Random(0), { weightNorm }))]
      .filter(([, { decay }]) => decay)
      .map(([name]) => name);
  expect(decaying(false)).toEqual(["weight"]);
  expect(decaying(true)).toEqual(["scale"]);
});

test("a network with weight normalization starts at 0 and has a gradient", async () => {
  const network = new ConvNet(2, 3, { width: 4, weightNorm: true }, new Random(0));
  const run = compile(
    (x) => {
      const y = network.apply(x);
      return [y, grad(y.sum(), [network.last.scale!])[0]];
    },
    [["N", 5, 5, 2]],
    double,
  );
  const [y, slope] = await run(x);
  expect(y.every((value) => value === 0)).toBe(true);
  expect(slope.every((value) => value !== 0)).toBe(true);
});

test("a missing context is an error", () => {
  const images = input("images", ["N", 5, 5, 2]);
  const network = new ConvNet(2, 3, { width: 4 }, new Random(0), 2);
  expect(() => network.apply(images)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the context of a network is missing: expected 2, received none.]`,
  );
  const ofImage = new ConvNet(2, 3, { width: 4 }, new Random(0), [5, 5, 1]);
  expect(() => ofImage.apply(images, input("context", ["N", 5]))).toThrow("expected 25, received 5");
});
