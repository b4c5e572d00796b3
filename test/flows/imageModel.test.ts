import { describe, expect, test, vi } from "vitest";
import { Actnorm, Coupling } from "../../src/bijections/index.ts";
import { flatten } from "../../src/bijections/parts.ts";
import { ContextEmbedding, DiagonalNormal, Made } from "../../src/distributions/index.ts";
import { dequantize, Flow, glow, imageTransformer, logitPixels } from "../../src/flows/index.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { perturb } from "../nn/perturb.ts";

/** All images of two pixels with three values. */
const shape = [1, 2, 1] as [number, number, number];
const images = [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => [a, b]));
const pixels = Float64Array.from(images.flat());
const classes = ["a", "b", "c"];

function conditionalFlow() {
  const network = { width: 8, blocks: 1 };
  const flow = imageTransformer({
    image: shape,
    values: 3,
    classes: 3,
    width: 8,
    heads: 2,
    layers: 1,
    network,
  });
  perturb(flow.parameters(), 0.5);
  return flow;
}

const flow = conditionalFlow();
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

test("the classes of a model have as many names as its flow has classes", () => {
  const unconditional = imageTransformer({ image: shape, values: 3, width: 8, heads: 2, layers: 1 });
  expect(() => new ImageModel({ flow, shape })).toThrow("expected 3 names, received 0");
  expect(() => new ImageModel({ flow, shape, classes: ["a", "b"] })).toThrow("expected 3 names, received 2");
  expect(() => new ImageModel({ flow: unconditional, shape, classes })).toThrow("the flow has no classes");
  expect(() => new ImageModel({ flow, shape, classes: ["a", "b", "a"] })).toThrow(
    "expected 3 different names",
  );
  expect(
    new ImageModel({ flow: unconditional, shape, classes: undefined, priors: undefined }).classes,
  ).toEqual([]);
  expect(logitPixels({ features: 1, values: undefined }).high).toBeGreaterThan(256);
});

test("a flow with a bijection next to the pixels is not a model of images", () => {
  const image = { image: shape, values: 3, width: 8, heads: 2, layers: 1 };
  const scaled = new Flow(imageTransformer(image).base, new Actnorm({ features: 2 }));
  expect(() => new ImageModel({ flow: scaled, shape })).toThrow("received a flow of real numbers");
});

test("the noise of a flow of images is multiplied by the temperature", async () => {
  const flow = dequantize(glow({ image: [2, 2, 1], values: 64, levels: 1, steps: 1, width: 4 }));
  perturb(flow.parameters(), 0.3);
  await using model = new ImageModel({ flow, shape: [2, 2, 1] });
  await using base = new Flow(model.density!.base);
  const noise = await base.sample(20, { seed: 3 });
  const images = await model.sample(20, { temperature: 0.5, seed: 3 });
  expect(images).toEqual(await model.toPixels(noise.map((z) => 0.5 * z)));
  expect(images).not.toEqual(await model.toPixels(noise));
});

test("only the sampler of the last temperature is kept", async () => {
  const create = vi.spyOn(ShardedFunction, "create");
  const release = vi.spyOn(ShardedFunction.prototype, "release");
  const model = new ImageModel({ flow: conditionalFlow(), shape, classes });
  for (const temperature of [0.5, 0.7]) await model.sample(1, { temperature, classes: [0], threads: 1 });
  expect(release).toHaveBeenCalledTimes(1);
  await model.release();
  expect(release).toHaveBeenCalledTimes(create.mock.calls.length);
  vi.restoreAllMocks();
});

test("samples at two temperatures at once, and frees the sampler of the first", async () => {
  const create = vi.spyOn(ShardedFunction, "create");
  const release = vi.spyOn(ShardedFunction.prototype, "release");
  const model = new ImageModel({ flow: conditionalFlow(), shape, classes });
  const sample = (temperature: number) => model.sample(3, { temperature, classes: [0], threads: 1 });
  const [cold, warm] = await Promise.all([sample(0.5), sample(0.7)]);
  expect(release).toHaveBeenCalledTimes(create.mock.calls.length - 1);
  expect([await sample(0.5), await sample(0.7)]).toEqual([cold, warm]);
  await model.release();
  expect(release).toHaveBeenCalledTimes(create.mock.calls.length);
  vi.restoreAllMocks();
  await expect(
    new ImageModel({ flow: madeOfPixels(), shape }).sample(1, { temperature: 0.5 }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model cannot be sampled at another temperature than 1: received 0.5.
    Leave out the option temperature.]
  `);
});

test("samples a flow whose base distribution depends on the class", async () => {
  const base = new DiagonalNormal({ features: 2, context: 2, network: { hidden: [] } }, new Random(0));
  perturb(parametersOf(base), 0.7);
  const bounded = logitPixels({ features: 2, values: 3 });
  const embedding = new ContextEmbedding({ classes: [2] });
  const flow = dequantize(new Flow(base, bounded, embedding), { values: 3 });
  await using model = new ImageModel({ flow, shape, classes: ["a", "b"] });
  const n = 20_000;
  const probabilities: number[] = [];
  for (const label of [0, 1]) {
    const drawn = await model.sample(n, { classes: [label] });
    // Rounding to the nearest pixel adds mass to the outer values only, so the image of inner values has its probability.
    const count = Array.from({ length: n }, (_, i) => drawn[2 * i] === 1 && drawn[2 * i + 1] === 1).filter(
      Boolean,
    );
    const [logProb] = await model.withDraws(256).logProb(Float64Array.of(1, 1), { classes: [label] });
    probabilities.push(Math.exp(logProb!));
    expect(Math.abs(count.length / n - Math.exp(logProb!))).toBeLessThan(0.012);
  }
  expect(Math.abs(probabilities[0]! - probabilities[1]!)).toBeGreaterThan(0.03);
});

/** Pixels without a latent space and without a temperature. */
const madeOfPixels = () =>
  new Flow(new Made({ order: [0, 1], outputs: "bernoulli", network: { hidden: [4] } }, new Random(0)));

test("the shape of a model is three positive integers", () => {
  for (const wrong of [
    [8, 0.5, 1],
    [-2, -2, 1],
  ] as [number, number, number][])
    expect(() => new ImageModel({ flow, shape: wrong, classes })).toThrow(
      /the shape of new ImageModel is not valid at \d/,
    );
});

test("interpolates between two images, with both ends, and for a class", async () => {
  const options = { image: [2, 2, 1] as [number, number, number], values: 4, levels: 1, steps: 1 };
  const flow = dequantize(glow({ ...options, classes: 2 }));
  await using model = new ImageModel({ flow, shape: options.image, classes: ["a", "b"] });
  const [from, to] = [
    [0, 1, 2, 3],
    [3, 3, 0, 1],
  ];
  const images = await model.interpolate(from!, to!, 3, { classes: [1] });
  expect([...images.subarray(0, 4)]).toEqual(from);
  expect([...images.subarray(8)]).toEqual(to);
  const [first, last] = await Promise.all(
    [from, to].map((image) => model.toLatent(Float64Array.from(image!), { classes: [1] })),
  );
  const middle = first!.map((z, i) => (z + last![i]!) / 2);
  expect(images.subarray(4, 8)).toEqual(await model.toPixels(middle, { classes: [1] }));
  await expect(
    model.interpolate([1, 2], to!, 3, { classes: [1] }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an end of an interpolation is not one image: expected 4 pixels, received 2.]`,
  );
  await expect(model.interpolate(from!, to!, 1, { classes: [1] })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of steps of interpolate is not valid: expected 2, 3, 4, ..., received 1.]`,
  );
});

test("only pixels have a latent row", async () => {
  await using model = new ImageModel({
    flow: dequantize(glow({ image: [2, 2, 1], values: 4, levels: 1, steps: 1 })),
    shape: [2, 2, 1],
  });
  for (const [value, row] of [
    [4, 1],
    [0.5, 0],
    [Number.NaN, 1],
  ] as const) {
    const rows = Float64Array.from({ length: 8 }, (_, i) => (i === 4 * row ? value : 3));
    await expect(model.toLatent(rows)).rejects.toThrow(
      `image ${row} has the pixel value ${value}: expected integers from 0 to 3`,
    );
  }
});

describe("classify", () => {
  test("gives probabilities whose mean over all images is the prior of each class", async () => {
    await using model = new ImageModel({ flow, shape, classes, priors: [1, 2, 5] });
    const { probabilities, logProb } = await model.classify(pixels, { precision: "float64" });
    const probability = logProb.map(Math.exp);
    expect(sum(probability)).toBeCloseTo(1, 9);
    classes.forEach((_, y) => {
      const joint = probability.map((p, i) => p * probabilities[3 * i + y]!);
      expect(sum(joint)).toBeCloseTo([1, 2, 5][y]! / 8, 9);
    });
    for (let i = 0; i < images.length; i++)
      expect(sum(probabilities.subarray(3 * i, 3 * i + 3))).toBeCloseTo(1, 12);
  });

  test("has the ratios of the likelihoods if the priors are equal", async () => {
    await using model = new ImageModel({ flow, shape, classes });
    const { probabilities, classes: predicted } = await model.classify(pixels);
    const likelihoods = await Promise.all(
      [0, 1, 2].map((y) => model.logProb(pixels, { classes: images.map(() => y) })),
    );
    images.forEach((_, i) => {
      const row = probabilities.subarray(3 * i, 3 * i + 3);
      expect(Math.log(row[1]! / row[0]!)).toBeCloseTo(likelihoods[1]![i]! - likelihoods[0]![i]!, 9);
      expect(row[predicted[i]!]).toBe(Math.max(...row));
    });
  });

  test("takes the frequencies of the classes in training from a model file", async () => {
    const training = { rows: 4, seed: 0, epochs: 1, bestEpoch: 1, validationLogDensity: 0 };
    const bytes = encodeModel({
      flow,
      image: shape,
      given: ["class"],
      labels: [classes],
      training: { ...training, given: [{ counts: [3, 1, 0] }] },
    });
    await using model = ImageModel.from(await decodeModel(bytes));
    // A class without images in the sample of a stream counts as one image.
    expect(model.priors).toEqual([3 / 5, 1 / 5, 1 / 5]);
  });

  test("finds the class of images that a dequantized flow drew", async () => {
    const image = [4, 4, 1] as [number, number, number];
    const options = { image, values: 16, classes: 2, levels: 1, steps: 1, width: 4 };
    const conditional = glow({ ...options, dequantization: "uniform" });
    await using model = new ImageModel({ flow: conditional, shape: image, classes: ["0", "1"] });
    const prior = flatten(model.density!.bijection).find(({ bijection }) => bijection instanceof Coupling)!;
    perturb(parametersOf(prior.bijection), 1);
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 2);
    const drawn = await model.sample(200, { classes: labels });
    const { classes: predicted } = await model.withDraws(4).classify(drawn);
    expect(predicted.filter((y, i) => y === labels[i]).length / 200).toBeGreaterThan(0.9);
  });

  test("has no probabilities for pixels that are no values", async () => {
    await using model = new ImageModel({ flow, shape, classes });
    const { probabilities, classes: predicted, logProb } = await model.classify(Float64Array.of(0.5, 1));
    expect([...logProb]).toEqual([Number.NEGATIVE_INFINITY]);
    expect([...probabilities]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect([...predicted]).toEqual([-1]);
  });

  test("needs classes, and a prior for each", async () => {
    const unconditional = imageTransformer({ image: shape, values: 3, width: 8, layers: 1 });
    await using model = new ImageModel({ flow: unconditional, shape });
    await expect(model.classify(pixels)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no classes.
      Fit a model that is conditional on the class of an image.]
    `);
    await expect(model.logProb(pixels, { classes: [0] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no classes.
      Leave the option classes out.]
    `);
    await using conditional = new ImageModel({ flow, shape, classes });
    await expect(conditional.logProb(pixels)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model needs the class of each image.
      Give the option classes.]
    `);
    await expect(conditional.sample(1)).rejects.toThrow("the model needs the class of each image");
    expect(
      () => new ImageModel({ flow, shape, classes, priors: "equal" as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the option priors of new ImageModel has an invalid value: expected a list of numbers, received "equal".]`,
    );
    expect(() => new ImageModel({ flow, shape, classes, priors: [1, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the priors of the classes are not valid: expected 3 numbers of at least 0, not all 0, received 1, 1.]`,
    );
    expect(
      () => new ImageModel({ flow, shape, classes, priors: [1, 1, -1] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the priors of the classes are not valid: expected 3 numbers of at least 0, not all 0, received 1, 1, -1.]`,
    );
  });
});
