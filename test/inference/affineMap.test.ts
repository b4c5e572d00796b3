import { expect, test } from "vitest";
import { affineMapOf, mapRows, pulledBackByAffine, unmapRows } from "../../src/inference/affineMap.ts";
import { Random } from "../../src/random/index.ts";
import { expectClose } from "../graph/run.ts";

const map = { center: Float64Array.of(1, -200, 3), lower: Float64Array.of(2, 0, 0, 1, 0.5, 0, -3, 0.1, 40) };

test("the affine map of rows has their mean and covariance", () => {
  const n = 100_000;
  const rows = mapRows(map, new Random(0).normal(new Float64Array(3 * n)));
  const fitted = affineMapOf(rows, 3);
  fitted.center.forEach((value, i) => {
    expect(Math.abs(value - map.center[i])).toBeLessThan(
      0.02 * Math.hypot(...map.lower.subarray(3 * i, 3 * i + 3)),
    );
  });
  fitted.lower.forEach((value, k) => {
    const scale = Math.hypot(...map.lower.subarray(k - (k % 3), k - (k % 3) + 3));
    expect(Math.abs(value - map.lower[k])).toBeLessThan(0.02 * scale);
  });
});

test("the affine map of equal rows, or of fewer rows than columns, exists", () => {
  expect(affineMapOf(Float64Array.of(1, 2, 1, 2), 2)).toEqual({
    center: Float64Array.of(1, 2),
    lower: Float64Array.of(1, 0, 0, 1),
  });
  expect(affineMapOf(Float64Array.of(1, 2, 3, 2, 4, 7), 3).lower.every(Number.isFinite)).toBe(true);
});

test("rows are mapped back, and gradients by the chain rule", async () => {
  const z = new Random(1).normal(new Float64Array(6));
  expectClose(unmapRows(map, mapRows(map, z)), z, 1e-12);
  /** Of sum c_i x_i: the gradient with respect to z is L^T c. */
  const c = [0.5, -1, 2];
  const pulled = pulledBackByAffine(map, async (rows) => ({
    logDensity: Float64Array.from({ length: 2 }, (_, r) =>
      c.reduce((sum, ci, i) => sum + ci * rows[3 * r + i], 0),
    ),
    gradient: Float64Array.of(...c, ...c),
    logProposal: new Float64Array(2),
  }));
  const { gradient } = await pulled(z);
  const expected = [0, 1, 2].map((j) => c.reduce((sum, ci, i) => sum + ci * map.lower[3 * i + j], 0));
  expectClose(gradient, [...expected, ...expected], 1e-12);
});
