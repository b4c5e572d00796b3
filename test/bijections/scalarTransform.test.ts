import { describe, expect, test } from "vitest";
import { Elementwise } from "../../src/bijections/elementwise.ts";
import { affineTransform } from "../../src/bijections/scalar/affine.ts";
import type { ScalarTransform } from "../../src/bijections/scalar/scalarTransform.ts";
import { grad } from "../../src/graph/grad.ts";
import { compile } from "../../src/runtime/compile.ts";

describe("softClamp", () => {
  test.each(["float32", "float64"] as const)(
    "has slope 1 at 0 and stays within its bound in %s",
    async (precision) => {
      const run = compile((a) => [a.softClamp(3), grad(a.softClamp(3).sum(), [a])[0]], [["N"]], {
        precision,
      });
      const [value, slope] = await run([0, 1e-30, -1e-30, 0.01, 5, -5, 1e30, -1e30, 3e38]);
      expect(value[0]).toBe(0);
      expect([...slope.subarray(0, 3)]).toEqual([1, 1, 1]);
      expect(value[3]).toBeCloseTo(0.01 / (1 + 0.01 / 3), 7);
      expect(value[5]).toBe(-value[4]);
      expect(value[4]).toBeLessThan(3);
      for (const [i, bound] of [3, -3, 3].entries()) expect(value[6 + i]).toBeCloseTo(bound, 6);
      for (const extreme of slope.subarray(6)) expect(Math.abs(extreme)).toBeLessThan(1e-6);
    },
  );
});

test("an affine layer scales by no more than 1000", async () => {
  const run = compile(
    (x, raw) => {
      const { value, logDerivative } = affineTransform().toLatent(x, raw);
      return [value, logDerivative];
    },
    [
      ["N", 1],
      ["N", 2],
    ],
  );
  const [value, logDerivative] = await run([1, 1, 1], [0, 1e30, 0, -1e30, 7, 0]);
  expect(value[0]).toBeCloseTo(1000, 2);
  expect(value[1]).toBeCloseTo(0.001, 8);
  expect(value[2]).toBe(8);
  expect(logDerivative[2]).toBe(0);
});

test("an affine layer with a bound scales by no more than exp(bound)", async () => {
  const layer = new Elementwise({ features: 1, transform: { type: "affine", bound: 2 } });
  const run = compile((x) => layer.inverse(x).logDet, [["N", 1]]);
  for (const raw of [1e9, -1e9]) {
    layer.raw.value = Float64Array.from([0, raw]);
    expect((await run([1]))[0]).toBeCloseTo(2 * Math.sign(raw), 6);
  }
  expect(layer.describe()).toMatchObject({ transform: { type: "affine", bound: 2 } });
});

test("a transform object without a description is named in the error", () => {
  class Cube {
    constructor(transform: object) {
      Object.assign(this, transform);
    }
  }
  const layer = (transform: object) =>
    new Elementwise({ features: 1, transform: transform as ScalarTransform });
  expect(() => layer({ ...affineTransform() }).describe()).toThrow(
    /^the scalar transform has no describe\(\)/,
  );
  expect(() => layer(new Cube(affineTransform())).describe()).toThrow(/^Cube has no describe\(\)/);
});

test("the bound of an affine layer is positive and at most log 1000", () => {
  for (const bound of [0, 7])
    expect(() => new Elementwise({ features: 1, transform: { type: "affine", bound } })).toThrow(/bound/);
});
