import { describe, expect, test } from "vitest";
import {
  Actnorm,
  BatchNorm,
  Chain,
  Coupling,
  FactorOut,
  Identity,
  ImageCoupling,
  Invert,
  LULinear,
  PerPixel,
  Power,
  Squeeze,
  StandardizeContext,
} from "../../src/bijections/index.ts";
import { checkBijection } from "../../src/flows/index.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import type { ImageShape } from "../../src/nn/image.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { perturb } from "../nn/perturb.ts";
import { applyDirection } from "./apply.ts";
import { expectClose } from "./invariants.ts";

const normal = (size: number) => new Random(1).normal(new Float64Array(size));
const image: ImageShape = [4, 4, 2];
const network = { width: 4 };

describe("images of 4 x 4 pixels with 2 channels pass checkBijection", () => {
  test.each([
    { mask: "channels" as const },
    { mask: "channels" as const, inverted: true, network: { ...network, block: "gated" as const } },
    { mask: "checkerboard" as const, transform: { type: "rationalQuadraticSpline" as const, bins: 3 } },
    { mask: "checkerboard" as const, inverted: true, context: [4, 4, 1] as ImageShape },
    { mask: "checkerboard" as const, transform: { type: "circularSpline" as const, bins: 3 } },
  ])("coupling, %j", async (options) => {
    const circular = options.transform?.type === "circularSpline";
    const coupling = new ImageCoupling({ image, network, ...options }, new Random(0));
    const angles = normal(4 * coupling.features).map((v) => 3 * Math.tanh(v));
    await checkBijection(coupling, circular ? { z: angles, x: angles } : { z: normal(4 * 32) });
  });

  test("a coupling with splines and a wide network, with the rows that are drawn by default", async () => {
    const transform = { type: "rationalQuadraticSpline" as const };
    await checkBijection(new ImageCoupling({ image, network: { width: 32 }, transform }, new Random(0)));
  });

  test("a level with squeeze, actnorm, 1x1 convolution, coupling and factoring out", async () => {
    const squeezed: ImageShape = [2, 2, 8];
    const half: ImageShape = [2, 2, 4];
    const level = new Chain([
      new FactorOut({
        image: squeezed,
        bijection: new ImageCoupling({ image: half, network }, new Random(1)),
      }),
      new ImageCoupling({ image: squeezed, context: 3, network }, new Random(2)),
      new PerPixel({ image: squeezed, bijection: new LULinear({ features: 8 }) }),
      new PerPixel({ image: squeezed, bijection: new Actnorm({ features: 8 }) }),
      new Squeeze({ image }),
    ]);
    await checkBijection(level, { z: normal(4 * 32) });
  });
});

describe("Squeeze", () => {
  test("makes each block of 2 x 2 pixels one pixel", async () => {
    // The pixels of a 4 x 4 image with 1 channel, and those of its blocks.
    const pixels = Array.from({ length: 16 }, (_, i) => i);
    const { value } = await applyDirection(new Squeeze({ image: [4, 4, 1] }), "inverse", pixels);
    expect(Array.from(value)).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  });

  test("refuses odd sizes", () => {
    expect(() => new Squeeze({ image: [4, 7, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a squeeze is not valid at image: expected an even height and an even width, received [4,7,1].]`,
    );
  });
});

describe("ImageCoupling", () => {
  /** For each feature 1 if a perturbed coupling changes it, or else 0. */
  async function changedFeatures(options: Partial<ConstructorParameters<typeof ImageCoupling>[0]>) {
    const coupling = new ImageCoupling({ image: [3, 3, 2], network, ...options }, new Random(0));
    perturb(parametersOf(coupling));
    const x = normal(18);
    const { value } = await applyDirection(coupling, "inverse", [...x]);
    return Array.from(value, (z, i) => (z === x[i] ? 0 : 1));
  }

  test("changes the second half of the channels, or the first", async () => {
    expect(await changedFeatures({})).toEqual(new Array(9).fill([0, 1]).flat());
    expect(await changedFeatures({ inverted: true })).toEqual(new Array(9).fill([1, 0]).flat());
  });

  test("changes the pixels of one color of a checkerboard", async () => {
    const odd = [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0];
    expect(await changedFeatures({ mask: "checkerboard" })).toEqual(odd);
    expect(await changedFeatures({ mask: "checkerboard", inverted: true })).toEqual(odd.map((v) => 1 - v));
  });

  test("refuses a mask without changed or without unchanged features", () => {
    const build = (image: ImageShape, inverted: boolean) => () =>
      new ImageCoupling({ image, inverted }, new Random(0));
    expect(build([4, 4, 1], false)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the mask "channels" must leave some features of the image unchanged, and others not: expected at least 2 channels, received an image of 4 x 4 x 1.]`,
    );
    expect(build([4, 4, 1], true)).toThrow("must leave some features of the image unchanged");
  });
});

describe("PerPixel", () => {
  test("has height times width times the log-determinant of its map", async () => {
    const bijection = new LULinear({ features: 2 });
    bijection.logDiagonal.value = Float32Array.of(Math.log(2), Math.log(3));
    const { value, logDet } = await applyDirection(
      new PerPixel({ image, bijection }),
      "inverse",
      Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 1 : 10)),
    );
    expectClose(value, new Array(16).fill([2, 30]).flat(), 1e-6, "pixels");
    expectClose(logDet, [16 * Math.log(6)], 1e-6, "log-det");
  });

  const rows = 7;
  const values = normal(rows * 32).map((v, i) => (i % 2 === 0 ? 5 * v + 3 : v / 2 - 1));

  /** The weighted mean and variance of each channel over rows and pixels. */
  function moments(pixels: ArrayLike<number>, weightOf = (_row: number) => 1) {
    return [0, 1].map((channel) => {
      const average = (f: (x: number) => number) => {
        let [sum, total] = [0, 0];
        for (let i = channel; i < pixels.length; i += 2) {
          const weight = weightOf(Math.floor(i / 32));
          sum += weight * f(pixels[i]);
          total += weight;
        }
        return sum / total;
      };
      const mean = average((x) => x);
      return [mean, average((x) => (x - mean) ** 2)];
    });
  }

  test("with actnorm, standardizes each channel over all rows and pixels", async () => {
    const bijection = new Actnorm({ features: 2 });
    const map = new PerPixel({ image, bijection });
    const weights = Float64Array.from({ length: rows }, (_, row) => row);
    await map.fitToData!({ rows, features: 32, values, weights });
    const { value } = await applyDirection(map, "inverse", [...values]);
    expectClose(moments(value, (row) => row).flat(), [0, 1, 0, 1], 1e-6, "moments");
    await map.fitToLatent!({ rows, features: 32, values });
    const { value: data } = await applyDirection(map, "forward", [...values]);
    expectClose(moments(data).flat(), [0, 1, 0, 1], 1e-6, "moments");
  });

  test("with batch normalization, standardizes each channel of a batch", async () => {
    const bijection = new BatchNorm({ features: 2, epsilon: 1e-12 });
    const map = new PerPixel({ image, bijection });
    const normalize = compile(
      (x) => {
        const { result, updates } = traceLoss(() => map.inverse(x), { batchStatistics: true });
        return { value: result.value, variance: updates.get(bijection.variance)! };
      },
      [["N", 32]],
      { precision: "float64" },
    );
    const { value, variance } = await normalize(values);
    expectClose(moments(value).flat(), [0, 1, 0, 1], 1e-6, "moments");
    // The first update has the weight 0.9, and the variance has Bessel's correction for rows * 16 numbers.
    const corrected = moments(values).map(([, v]) => 0.1 + (0.9 * v * rows * 16) / (rows * 16 - 1));
    expectClose(variance, corrected, 1e-9, "running variance");
  });

  test("refuses maps that do not act on the last axis, and other numbers of features", () => {
    const coupling = new Coupling({ mask: [true, false] }, new Random(0));
    expect(() => new PerPixel({ image, bijection: coupling })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: PerPixel cannot apply this bijection to pixels: expected a bijection with actsOnLastAxis, such as an LULinear, an Actnorm or a Chain of them, received coupling.]`,
    );
    const lu = new LULinear({ features: 3 });
    expect(() => new PerPixel({ image, bijection: lu })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a PerPixel needs a bijection with one feature per channel: expected 2 features, received 3.]`,
    );
  });
});

describe("FactorOut", () => {
  test("keeps its levels if its context is standardized", () => {
    const conditional = new Coupling({ mask: [true, true, false, false], context: 1 }, new Random(0));
    const map = new FactorOut({ image: [2, 2, 2], bijection: conditional });
    expect(map.levels).toHaveLength(2);
    expect(new StandardizeContext(map).levels).toEqual(map.levels);
  });

  test("maps the first channels, which come first on the latent side", async () => {
    const doubling = new LULinear({ features: 4 });
    doubling.logDiagonal.value.fill(Math.log(2));
    const map = new FactorOut({ image: [2, 2, 2], bijection: doubling });
    const { value, logDet } = await applyDirection(map, "inverse", [1, 10, 2, 20, 3, 30, 4, 40]);
    expectClose(value, [2, 4, 6, 8, 10, 20, 30, 40], 1e-4, "latent");
    expectClose(logDet, [4 * Math.log(2)], 1e-4, "log-det");
  });

  test("fits the map of the first channels to them", async () => {
    const actnorm = new Actnorm({ features: 2 });
    const map = new FactorOut({ image: [1, 2, 2], bijection: actnorm });
    const values = Float64Array.of(1, 100, 5, 100, 3, 200, 5, 300);
    await map.fitToData!({ rows: 2, features: 4, values });
    expect(Array.from(actnorm.shift.value)).toEqual([2, 5]);
    await map.fitToLatent!({ rows: 2, features: 4, values });
    expectClose(actnorm.logScale.value, [0, -Math.log(50)], 1e-6, "log-scale");
  });

  test("and StandardizeContext have the domain of the bijection that they hold", () => {
    const map = new FactorOut({ image: [1, 2, 2], bijection: new Power({ features: 2 }) });
    expect(map.domain).toEqual({ description: "x > 0 for the first 2 features" });
    const conditional = new Coupling({ mask: [true, false], context: 1 }, new Random(0));
    const chain = new Chain([new Power({ features: 2 }), conditional]);
    expect(new StandardizeContext(chain).domain).toBe("positive");
    expect(new Invert(new StandardizeContext(chain)).support).toBe("positive");
  });

  test("refuses a bijection of all channels or of a part of a channel", () => {
    const build = (features: number) => () =>
      new FactorOut({ image: [2, 2, 2], bijection: new Identity({ features }) });
    expect(build(8)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a FactorOut needs a bijection of some channels, but not of all: expected a multiple of 4 features below 8, received 8.]`,
    );
    expect(build(3)).toThrow("some channels, but not of all");
  });
});
