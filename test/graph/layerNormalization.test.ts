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
