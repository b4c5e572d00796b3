import { describe, expect, test } from "vitest";
import { conv2d, grad, loop, Parameter, scalar, type Tensor } from "../../src/graph/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";

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
    // Up to four outputs of images of even size are computed in blocks of pixels.
    [6, 4, 6, 3],
    [20, 3, 6, 5],
    [3, 1, 6, 3],
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
