import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { compileFloat64Checks } from "../../src/bijections/bijectionGraphs.ts";
import { FactorOut } from "../../src/bijections/index.ts";
import { flatten } from "../../src/bijections/parts.ts";
import {
  type Dequantized,
  StandardNormal,
  type TransformedDistribution,
} from "../../src/distributions/index.ts";
import { exportFlow } from "../../src/flows/exportFlow.ts";
import {
  dequantize,
  Flow,
  glow,
  imageTransformer,
  logitPixels,
  maf,
  ncsf,
  nice,
  realNVP,
  tarflow,
} from "../../src/flows/index.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { expectLogDeterminants, expectRoundTrips, ROWS } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const image = [4, 4, 1] as [number, number, number];
const small = { image, values: 16, width: 4 };

const flows: Readonly<Record<string, () => Flow>> = {
  glow: () => glow({ ...small, levels: 2, steps: 2 }),
  "glow of one level with classes and splines": () =>
    glow({
      ...small,
      levels: 1,
      steps: 1,
      classes: 3,
      transform: { type: "rationalQuadraticSpline", bins: 3 },
    }),
  realNVP: () => realNVP({ ...small, levels: 1, steps: 2, blocks: 1 }),
  "realNVP with batch normalization and classes": () =>
    realNVP({ ...small, levels: 1, steps: 1, block: "gated", batchNorm: true, classes: 2 }),
  "realNVP with additive couplings": () =>
    realNVP({ ...small, levels: 1, steps: 1, block: "plain", transform: { type: "additive" } }),
  "nice with classes": () => nice({ image, values: 16, transforms: 2, hidden: [6, 6], classes: 3 }),
  "tarflow with classes": () =>
    tarflow({ ...small, patch: 2, transforms: 2, layers: 1, heads: 2, classes: 2 }),
};

/** Pixels between the integers, away from the ends where the logit is steep. */
const pixels = new Random(2).uniform(new Float64Array(ROWS * 16)).map((u) => 1 + 14 * u);

describe.each(Object.entries(flows))("%s", (_, build) => {
  test("is invertible, with the log-determinants of its Jacobians and a gradient for every parameter", async () => {
    const flow = build();
    perturb(flow.parameters(), 0.1);
    const { bijection } = flow;
    const context = new Random(4).uniform(new Float64Array(ROWS * bijection.context));
    const rows = { x: pixels, z: new Random(3).normal(new Float64Array(ROWS * 16)), context };
    const float64 = compileFloat64Checks(bijection);
    const out = await float64.run(rows);
    expectRoundTrips(out, rows, 1e-8);
    const jacobians = await float64.jacobians(rows);
    expectLogDeterminants(jacobians.forward, out.forwardLogDet, 16);
    expectLogDeterminants(jacobians.inverse, out.inverseLogDet, 16);
    for (const [name, gradients] of await float64.parameterGradients(rows))
      for (const gradient of gradients) expect(Array.from(gradient).some(Boolean), name).toBe(true);
  });

  test("is saved and loaded with its dequantization", async () => {
    const model = dequantize(build(), { samples: 2, values: 16 });
    perturb(model.parameters(), 0.1);
    for (const parameter of model.parameters().values()) parameter.value = Float32Array.from(parameter.value);
    const loaded = (await decodeModel(encodeModel({ flow: model }))).flow;
    const whole = pixels.map(Math.floor);
    const context = model.context > 0 ? [1] : undefined;
    expect(await loaded.logProb(whole, context)).toEqual(await model.logProb(whole, context));
    expect(loaded.describe()).toEqual(model.describe());
  });
});

test("the scaling of nice is initialized by the standard deviations of the pixels", async () => {
  const flow = dequantize(nice({ image, values: 16, transforms: 2, hidden: [6] }), { values: 16 });
  const rows = 4000;
  // Pixel d has the values 0 to d, so that the first one is constant, but for the noise.
  const uniform = new Random(5).uniform(new Float64Array(rows * 16));
  const values = uniform.map((u, i) => Math.floor(u * ((i % 16) + 1)));
  await flow.base.fitToData!({ rows, features: 16, values });
  const { base, bijection } = (flow.base as Dequantized).distribution as TransformedDistribution;
  const latent = await new Flow(base, bijection).toLatent(values.map((x, i) => x + ((i * 0.618) % 1)));
  for (let d = 0; d < 16; d++) {
    const column = latent.filter((_, i) => i % 16 === d);
    const mean = column.reduce((sum, z) => sum + z / rows, 0);
    const variance = column.reduce((sum, z) => sum + (z - mean) ** 2 / rows, 0);
    expect(Math.abs(Math.sqrt(variance) - 1)).toBeLessThan(0.05);
  }
});

describe("the option dequantization", () => {
  const options = { image: [2, 2, 1] as [number, number, number], values: 3, levels: 1, steps: 1, width: 4 };
  /** All images of four pixels with three values. */
  const images = Array.from({ length: 81 }, (_, n) =>
    [27, 9, 3, 1].map((place) => Math.floor(n / place) % 3),
  );
  const mean = (values: Iterable<number>) => [...values].reduce((a, b) => a + b) / images.length;

  test("uniform returns the distribution that dequantize returns", () => {
    expect(glow({ ...options, dequantization: "uniform" }).describe()).toEqual(
      dequantize(glow(options)).describe(),
    );
  });

  test("variational starts with uniform noise", async () => {
    const uniform = await dequantize(glow(options)).logProb(images, undefined, { precision: "float64" });
    const variational = glow({ ...options, dequantization: "variational" });
    const logProb = await variational.logProb(images, undefined, { precision: "float64" });
    logProb.forEach((value, i) => {
      expect(value).toBeCloseTo(uniform[i], 6);
    });
  });

  test("variational has the same probabilities with another noise, of which its log-probability is a lower bound", async () => {
    const flow = glow({ ...options, dequantization: "variational" });
    perturb(flow.parameters(), 0.05);
    const { distribution, dequantizer } = flow.base as Dequantized;
    const { base, bijection } = distribution as TransformedDistribution;
    const density = new Flow(base, bijection);
    const uniform = await dequantize(density, { samples: 4 }).logProb(images);
    const learned = await dequantize(density, { samples: 4, ...(dequantizer && { dequantizer }) }).logProb(
      images,
    );
    expect(Math.abs(mean(learned) - mean(uniform))).toBeLessThan(0.05);
    expect(mean(await flow.logProb(images))).toBeLessThan(mean(uniform));
  });
});

test("an ONNX file of a dequantized flow has the log-probabilities of pixels", async () => {
  const model = dequantize(glow({ ...small, levels: 1, steps: 1, block: "gated" }), { samples: 2 });
  perturb(model.parameters(), 0.1);
  const session = await InferenceSession.create(await model.exportOnnx({ precision: "float64" }));
  const whole = pixels.map(Math.floor);
  const { logProb } = await session.run({ x: new Tensor("float64", whole, [ROWS, 16]) });
  const expected = await model.logProb(whole, undefined, { precision: "float64" });
  expected.forEach((value, row) => {
    expect(logProb.data[row]).toBeCloseTo(value, 9);
  });
});

test("ONNX files map pixels to latent rows and back, as `ImageModel` does, unless the flow has no map", async () => {
  const flow = dequantize(glow({ ...small, levels: 1, steps: 1 }));
  perturb(flow.parameters(), 0.1);
  await using model = new ImageModel({ flow, shape: [4, 4, 1] });
  const whole = pixels.map(Math.floor);
  const described = { image: model.shape, maps: model.tensorMaps };
  const session = async (what: "latent" | "data") =>
    InferenceSession.create(exportFlow(flow, { what, precision: "float64" }, described).bytes);
  const { z } = await (await session("latent")).run({ x: new Tensor("float64", whole, [ROWS, 16]) });
  const expected = await model.toLatent(whole, { precision: "float64" });
  expected.forEach((value, i) => {
    expect(z!.data[i]).toBeCloseTo(value, 9);
  });
  const farther = expected.map((value) => 2 * value);
  const { x } = await (await session("data")).run({ z: new Tensor("float64", farther, [ROWS, 16]) });
  expect(Array.from(x!.data as Float64Array)).toEqual(
    Array.from(await model.toPixels(farther, { precision: "float64" })),
  );

  const withoutMap = imageTransformer({ image: [4, 4, 1], values: 16, width: 8, heads: 2, layers: 1 });
  await expect(withoutMap.exportOnnx({ what: "latent" })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the flow has no map between rows and latent rows.
    Export its density or its sampler.]
  `);
});

test("the last level comes first in a latent row", async () => {
  const flow = glow({ ...small, levels: 2, steps: 2 });
  perturb(flow.parameters(), 0.2);
  const latent = await flow.toLatent(pixels.subarray(0, 16));
  const moved = latent.map((z, i) => (i < 8 ? z : z + 1));
  const back = await flow.toLatent(await flow.toData(moved));
  for (let i = 0; i < 16; i++) expect(Math.abs(back[i] - moved[i])).toBeLessThan(1e-3);

  // The parameters of the last level have an effect on its latent variables only.
  const factorOut = flatten(flow.bijection).find(({ bijection }) => bijection instanceof FactorOut)!;
  perturb(parametersOf(factorOut.bijection), 0.2, 2);
  const changed = await flow.toLatent(pixels.subarray(0, 16));
  expect(changed.map((z, i) => (z === latent[i] ? 0 : 1))).toEqual(
    Float64Array.from({ length: 16 }, (_, i) => (i < 8 ? 1 : 0)),
  );
});

test("a flow of large images with few parameters is read from its file", async () => {
  const flow = glow({ image: [160, 160, 3], levels: 1, steps: 1, width: 2 });
  const { flow: read } = await decodeModel(encodeModel({ flow }));
  expect(read.features).toBe(160 * 160 * 3);
});

test("refuses images that cannot be halved at each level, and options of vectors", () => {
  expect(() => glow({ image: [28, 28, 1], levels: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of glow is not valid at image: expected a height and a width that are multiples of 2^levels = 8, received [28,28,1].]`,
  );
  expect(() => realNVP({ image: [4, 4, 1], levels: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of realNVP is not valid at levels: expected more than one pixel after the last level, which has a checkerboard mask, received 2.]`,
  );
  expect(() => realNVP({ image: [4, 4, 1], levels: 1 }, { hidden: [3] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of realNVP is not valid: expected one of image, values, classes, seed, dequantization, block, width, blocks, activation, weightNorm, transform, levels, steps, batchNorm, received hidden.]`,
  );
});

test("dequantize takes the number of values from the flow, or asks for it", async () => {
  expect(dequantize(glow({ ...small, levels: 1, steps: 1 })).base.describe()).toMatchObject({ values: 16 });
  expect(() =>
    dequantize(glow({ ...small, levels: 1, steps: 1 }), { values: 256 }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the support of the flow does not contain all values: expected [0, 256] within the support, for 256 values, received the support from -0.888888888888889 to 16.88888888888889.
    Give the recipe of the flow and dequantize the same number of values.]
  `);
  const ofNumbers = new Flow(new StandardNormal({ features: 2 }), logitPixels({ features: 2, values: 4 }));
  expect(() => dequantize(ofNumbers, { values: [4, 10] })).toThrow("[0, 10] within the support");
  expect(dequantize(ofNumbers, { values: [4, null] }).base.describe()).toMatchObject({ values: [4, null] });
  for (const values of [undefined, 5]) {
    const integers = glow({ ...small, levels: 1, steps: 1, dequantization: "uniform" });
    expect(() => dequantize(integers, { values })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the flow is already a distribution of integers: expected a density of real numbers.
      Use the flow as it is, or leave out the option dequantization of its recipe.]
    `);
  }
  // The support of the second flow is from -pi to pi.
  for (const flow of [maf(2, { transforms: 1 }), ncsf(2, { transforms: 1 })]) {
    expect(() => dequantize(flow)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: dequantize needs the number of values of a feature.
      Give it as { values: 256 } for pixels of 8 bits.]
    `);
  }
});
