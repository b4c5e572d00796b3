import { expect, test } from "vitest";
import { type Tensor, vjp } from "../../src/graph/index.ts";
import { layerNormalization } from "../../src/graph/operations/layerNormalization.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";

test.each([
  [[9, 5]],
  [[3, 2, 4, 6]],
  // Rows that are too long for products with matrices.
  [[9, 70]],
  [[3, 2, 4, 70]],
])("layer normalization of %j has the derivatives of its formula, in float32 too", async (sizes) => {
  const [rows, ...others] = sizes;
  const channels = sizes.at(-1)!;
  const shapes = [["N", ...others], [channels], [channels], ["N", ...others]] as const;
  const random = new Random(4);
  const arrays = shapes.map(
    (shape, i) => random.split(i).normal(new Float32Array(sizeOf(shape, rows))) as Float32Array,
  );
  const gradients = (f: typeof layerNormalization) => (x: Tensor, scale: Tensor, shift: Tensor, g: Tensor) =>
    vjp([f(x, scale, shift)], [x, scale, shift], [g]);
  const composed = (x: Tensor, scale: Tensor, shift: Tensor) => {
    const centered = x.sub(x.mean(-1, { keepAxes: true }));
    const variance = centered.square().mean(-1, { keepAxes: true });
    return centered.div(variance.add(1e-5).sqrt()).mul(scale).add(shift);
  };
  const precise = { precision: "float64" } as const;
  const expected = await compile(gradients(composed), shapes, precise)(...arrays);
  for (const [options, tolerance] of [
    [precise, 1e-12],
    [{}, 2e-6],
    [{ batch: rows }, 2e-6],
  ] as const) {
    const actual = await compile(gradients(layerNormalization), shapes, options)(...arrays);
    actual.forEach((gradient, k) => {
      const errors = Array.from(gradient, (value, i) => Math.abs(value - expected[k]![i]!));
      expect(Math.max(...errors)).toBeLessThan(tolerance * Math.max(...Array.from(expected[k]!, Math.abs)));
    });
  }
});

test("layer normalization takes a single row, and rows that are not on the first axis", async () => {
  const values = new Random(5).normal(new Float64Array(24));
  const gradients = (x: Tensor, scale: Tensor) => {
    const y = layerNormalization(x, scale, scale);
    return [y, ...vjp([y], [x, scale], [y])];
  };
  const options = { precision: "float64" } as const;
  const scale = [1, 2, 3];
  const rows = await compile(gradients, [["N", 3], [3]], options)(values.subarray(0, 3), scale);
  const single = await compile(gradients, [[3], [3]], options)(values.subarray(0, 3), scale);
  expect(single).toEqual(rows);
  const first = compile(gradients, [["N", 2, 3], [3]], options);
  const second = compile(
    (x, scale) => {
      const [y, ofX, ofScale] = gradients(x.transpose([1, 0, 2]), scale);
      return [y.transpose([1, 0, 2]), ofX.transpose([1, 0, 2]), ofScale];
    },
    [["N", 2, 3], [3]],
    options,
  );
  const [expected, actual] = [await first(values, scale), await second(values, scale)];
  actual.forEach((numbers, k) => {
    for (const [i, value] of numbers.entries()) expect(value).toBeCloseTo(expected[k]![i]!, 12);
  });
});

test.each([[["cpu"]], [["wasm"]]] as const)(
  "rows of equal numbers have finite gradients in float32, with %j",
  async (providers) => {
    const gradients = (x: Tensor, scale: Tensor, shift: Tensor) => {
      const y = layerNormalization(x, scale, shift);
      return [y, ...vjp([y], [x, scale], [x])];
    };
    const compiled = compile(gradients, [["N", 4], [4], [4]], { providers: [...providers] });
    const [y, ofX, ofScale] = await compiled(
      [1234, 1234, 1234, 1234, 0, 0, 0, 0],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    );
    expect([...y!]).toEqual([5, 6, 7, 8, 5, 6, 7, 8]);
    expect([...ofX!, ...ofScale!].every(Number.isFinite)).toBe(true);
    await compiled.release();
  },
);
