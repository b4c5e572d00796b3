import { arch } from "node:os";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { conv2d, grad, loop, Parameter, scalar, type Tensor, vjp } from "../../src/graph/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { Random } from "../../src/random/index.ts";
import { type CompileOptions, compile } from "../../src/runtime/index.ts";

const [HEIGHT, WIDTH] = [5, 4];

/** A convolution with weights and biases that are parameters, and the gradient of a function of its result. */
function layer(inputs: number, outputs: number, kernel = 3) {
  const random = new Random(1).split(`${inputs} ${outputs}`);
  const normal = (shape: number[]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return new Parameter(shape, random.split(`${shape}`).normal(new Float32Array(count)));
  };
  const [weight, bias] = [normal([kernel, kernel, inputs, outputs]), normal([outputs])];
  return (x: Tensor) => {
    const value = conv2d(x, weight, bias);
    const [gradient] = grad(value.square().sum(), [x]);
    return { value, gradient };
  };
}

const images = (inputs: number, height = HEIGHT) =>
  new Random(2).normal(new Float32Array(3 * height * WIDTH * inputs)) as Float32Array;

describe("a convolution with embedded parameters", () => {
  test.each([
    [1, 16, 5, 3],
    [2, 3, 5, 3],
    [16, 16, 5, 3],
    [24, 8, 5, 3],
    [8, 1, 5, 3],
    // Up to eight outputs, if there are more inputs, are computed as sums over the columns of the kernel.
    [6, 4, 6, 3],
    [20, 3, 6, 5],
    [3, 1, 6, 3],
    [8, 8, 5, 3],
    [3, 2, 6, 1],
  ])(
    "has the values and gradients of its expansion, %i to %i channels, height %i, kernel %i",
    async (inputs, outputs, height, kernel) => {
      const build = layer(inputs, outputs, kernel);
      const shapes = [["N", height, WIDTH, inputs] as const];
      const embedded = compile(build, shapes, { embedParameters: true });
      const expanded = compile(build, shapes, { precision: "float64" });
      const rows = images(inputs, height);
      const [actual, expected] = [await embedded(rows), await expanded(rows)];
      for (const name of ["value", "gradient"] as const) {
        const largest = Math.max(...expected[name].map(Math.abs));
        const errors = actual[name].map((number, i) => Math.abs(number - expected[name][i]!));
        expect(Math.max(...errors)).toBeLessThan(1e-6 * largest);
      }
      await embedded.release();
      await expanded.release();
    },
  );

  test("can be computed in float64, also in a loop, for which the runtime has no convolution", async () => {
    const build = layer(2, 2);
    const twice = (x: Tensor) =>
      loop(
        [x, scalar(0)],
        ([image, count]) => ({
          state: [build(image).value, count.add(1)],
          proceed: count.less(1),
        }),
        { maxIterations: 5 },
      )[0];
    const options = { precision: "float64", embedParameters: true } as const;
    const run = (f: (x: Tensor) => Tensor) => compile(f, [["N", HEIGHT, WIDTH, 2]], options)(images(2));
    const expected = await run((x) => build(build(x).value).value);
    const actual = await run(twice);
    expect(Math.max(...actual.map((number, i) => Math.abs(number - expected[i]!)))).toBeLessThan(1e-12);
  });
});

describe("a convolution with weights that change, for a fixed number of rows", () => {
  /** The convolution of x with a weight and a bias, and its gradients for the gradient g of its value. */
  const withGradients = (x: Tensor, weight: Tensor, bias: Tensor, g: Tensor) => {
    const value = conv2d(x, weight, bias);
    const [ofX, ofWeight, ofBias] = vjp([value], [x, weight, bias], [g]);
    return { value, ofX, ofWeight, ofBias };
  };

  function setUp(rows: number, size: readonly [number, number], inputs: number, outputs: number, kernel = 3) {
    const random = new Random(3);
    const pixels = rows * size[0] * size[1];
    const sizes = [pixels * inputs, kernel * kernel * inputs * outputs, outputs, pixels * outputs];
    return {
      shapes: [
        ["N", ...size, inputs],
        [kernel, kernel, inputs, outputs],
        [outputs],
        ["N", ...size, outputs],
      ] as const,
      arrays: sizes.map((count, i) => random.split(i).normal(new Float32Array(count)) as Float32Array),
    };
  }

  const largestError = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
    const values = Array.from(expected);
    const scale = Math.max(...values.map(Math.abs));
    return Math.max(...values.map((value, i) => Math.abs(actual[i]! - value))) / scale;
  };

  test.each([
    // Channels that fill blocks, and those that do not; images with fewer channels than a block; few outputs.
    [4, [5, 4], 16, 16, 3],
    [3, [5, 4], 24, 40, 3],
    [5, [4, 6], 5, 33, 3],
    [5, [4, 6], 33, 5, 3],
    [4, [5, 4], 1, 16, 3],
    [4, [5, 4], 20, 2, 3],
    [2, [7, 5], 12, 12, 5],
    [4, [5, 4], 6, 7, 1],
    // Images that are divided into strips, with and without rows of zeros.
    [16, [12, 13], 16, 16, 3],
    [3, [14, 14], 18, 16, 3],
    [1, [1, 3], 16, 16, 3],
  ] as const)(
    "has the values and gradients of its expansion in float64, %i rows of %j, %i to %i channels, kernel %i",
    async (rows, size, inputs, outputs, kernel) => {
      const { shapes, arrays } = setUp(rows, size, inputs, outputs, kernel);
      const expected = await compile(withGradients, shapes, { precision: "float64" })(...arrays);
      for (const options of [{ batch: rows }, { batch: rows, providers: ["wasm"] as const }]) {
        const compiled = compile(withGradients, shapes, options);
        const actual = await compiled(...arrays);
        for (const name of Object.keys(expected) as (keyof typeof expected)[])
          expect(largestError(actual[name], expected[name])).toBeLessThan(2e-6);
        await compiled.release();
      }
    },
  );

  test.each([
    { batch: 2 },
    { batch: 2, barrier: "first" },
    // Without a fixed number of rows, also if the internal operators are asked for.
    {},
    { channelBlocks: true },
  ])("is written into files with operators of ONNX only, with the options %j", async (options) => {
    const { shapes, arrays } = setUp(2, [6, 6], 16, 24);
    const compiled = compile(withGradients, shapes, { batch: 2 });
    const bytes = exportOnnx(compiled.graph, options);
    expect(Buffer.from(bytes).includes("com.microsoft")).toBe(false);
    const session = await InferenceSession.create(bytes);
    const feeds = Object.fromEntries(
      arrays.map((array, i) => [
        `input${i}`,
        new OrtTensor(
          array,
          shapes[i]!.map((d) => (d === "N" ? 2 : d)),
        ),
      ]),
    );
    const expected = await compiled(...arrays);
    const actual = await session.run(feeds, Object.keys(expected));
    for (const name of Object.keys(expected) as (keyof typeof expected)[])
      expect(largestError(actual[name]!.data as Float32Array, expected[name])).toBeLessThan(2e-6);
    await compiled.release();
    await session.release();
  });

  test("has the gradient of its weight if the number of images is not that of the rows", async () => {
    const gradient = (x: Tensor, images: Tensor, weight: Tensor) =>
      grad(conv2d(images, weight).square().sum().mul(x.sum()), [weight])[0];
    const { shapes, arrays } = setUp(3, [5, 4], 16, 16);
    const images = [3, ...shapes[0].slice(1)];
    const run = (options: CompileOptions) =>
      compile(gradient, [["N"], images, shapes[1]], options)([1, 2], ...arrays.slice(0, 2));
    expect(largestError(await run({ batch: 2 }), await run({ precision: "float64" }))).toBeLessThan(2e-6);
  });

  test.runIf(arch() === "x64")(
    "fills blocks of 8 channels and of 16, whichever a processor has",
    async () => {
      const { shapes } = setUp(2, [4, 4], 3, 24);
      const file = await compile(withGradients, shapes, { batch: 2 }).sessionFile();
      const { node } = fromBinary(ModelProtoSchema, file).graph!;
      const channels = node
        .filter(({ opType }) => opType === "ReorderOutput")
        .map(({ attribute }) => Number(attribute.find(({ name }) => name === "channels")!.i));
      expect(channels.length).toBeGreaterThan(0);
      expect(channels.filter((count) => count % 16 !== 0)).toEqual([]);
    },
  );

  test("can have no rows", async () => {
    const { shapes, arrays } = setUp(2, [4, 4], 16, 16);
    const [, weight, bias] = arrays;
    const empty = new Float32Array(0);
    const gradients = await compile(withGradients, shapes, { batch: 0 })(empty, weight!, bias!, empty);
    expect(gradients.ofWeight.every((value) => value === 0)).toBe(true);
  });

  test("has the second derivative of finite differences", async () => {
    const { shapes, arrays } = setUp(2, [3, 4], 2, 3);
    const [x, weight, bias] = arrays.map((array) => Float64Array.from(array));
    const gradients = (x: Tensor, weight: Tensor, bias: Tensor) =>
      grad(conv2d(x, weight, bias).square().mul(0.5).sum(), [x, weight]);
    const options = { precision: "float64" } as const;
    const first = compile(gradients, shapes.slice(0, 3), options);
    // The derivative of the squared length of the gradients with respect to x and the weight is twice their Hessian times themselves.
    const second = compile(
      (x, weight, bias) => {
        const [ofX, ofWeight] = gradients(x, weight, bias);
        return grad(ofX.square().sum().add(ofWeight.square().sum()).mul(0.5), [x, weight]);
      },
      shapes.slice(0, 3),
      options,
    );
    const [ofX, ofWeight] = await first(x!, weight!, bias!);
    const moved = (values: Float64Array, direction: ArrayLike<number>, h: number) =>
      values.map((value, i) => value + h * direction[i]!);
    const h = 1e-6;
    const at = (h: number) => first(moved(x!, ofX!, h), moved(weight!, ofWeight!, h), bias!);
    const [after, before] = [await at(h), await at(-h)];
    const products = await second(x!, weight!, bias!);
    products.forEach((product, k) => {
      const difference = after[k]!.map((value, i) => (value - before[k]![i]!) / (2 * h));
      expect(largestError(product, difference)).toBeLessThan(1e-7);
    });
  });
});
