import { describe, expect, test } from "vitest";
import { logAbsDeterminant } from "../../src/bijections/determinant.ts";
import { Actnorm, LULinear } from "../../src/bijections/index.ts";
import { DiagonalNormal, StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "../bijections/invariants.ts";
import { trained } from "./trained.ts";

const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));

describe("flows with Gaussian densities", () => {
  test("an affine flow with known parameters has the density of a Gaussian", async () => {
    // x = 3 z + 1 and x = z / 2 - 4 in the two features.
    const actnorm = new Actnorm({ features: 2 });
    actnorm.shift.value = Float64Array.of(1, -4);
    actnorm.logScale.value = Float64Array.of(Math.log(3), Math.log(0.5));
    const affine = new Flow(new StandardNormal({ features: 2 }), actnorm);
    const expected = new DiagonalNormal({ features: 2 });
    expected.mean.value = actnorm.shift.value;
    expected.logDeviation.value = actnorm.logScale.value;
    const x = normal(40).map((v) => 5 * v);
    const direct = compile((x) => expected.logProb(x), [["N", 2]], { precision: "float64" });
    expectClose(
      await affine.logProb(x, undefined, { precision: "float64" }),
      await direct(x),
      1e-13,
      "log-density",
    );
    const quadratic = (r: number) => ((x[2 * r] - 1) / 3) ** 2 + ((x[2 * r + 1] + 4) * 2) ** 2;
    const byHand = Array.from(
      { length: 20 },
      (_, r) => -0.5 * quadratic(r) - Math.log(1.5) - Math.log(2 * Math.PI),
    );
    expectClose(await direct(x), byHand, 1e-13, "by hand");
  });

  test("a linear map results in a full covariance", async () => {
    const D = 4;
    const linear = new LULinear({ features: D });
    const gaussian = trained(new Flow(new StandardNormal({ features: D }), linear), 0.5);
    const options = { precision: "float64" } as const;
    // x = m + e W: e = 0 gives the mean m, and unit vectors e give the rows of W plus m.
    const mean = await gaussian.toData(new Float64Array(D), undefined, options);
    const units = new Float64Array(D * D).map((_, i) => (i % (D + 1) === 0 ? 1 : 0));
    const W = (await gaussian.toData(units, undefined, options)).map((v, i) => v - mean[i % D]);
    const covariance = new Float64Array(D * D).map((_, i) => {
      const [a, b] = [Math.floor(i / D), i % D];
      return Array.from({ length: D }, (_, k) => W[k * D + a] * W[k * D + b]).reduce((s, v) => s + v, 0);
    });
    const x = normal(10 * D).map((v) => 2 * v);
    const expected = Array.from({ length: 10 }, (_, r) => {
      const difference = Array.from(x.subarray(r * D, (r + 1) * D), (v, i) => v - mean[i]);
      const solved = solve(covariance, difference);
      const square = difference.reduce((sum, v, i) => sum + v * solved[i], 0);
      return -0.5 * (square + logAbsDeterminant(covariance, D) + D * Math.log(2 * Math.PI));
    });
    expectClose(await gaussian.logProb(x, undefined, options), expected, 1e-10, "log-density");

    const n = 40_000;
    const samples = await gaussian.sample(n, options);
    covariance.forEach((expected, i) => {
      const [a, b] = [Math.floor(i / D), i % D];
      let sum = 0;
      for (let r = 0; r < n; r++) sum += (samples[r * D + a] - mean[a]) * (samples[r * D + b] - mean[b]);
      const deviation = Math.sqrt((expected ** 2 + covariance[a * D + a] * covariance[b * D + b]) / n);
      expect(Math.abs(sum / n - expected) / deviation).toBeLessThan(4.5);
    });
  });
});

/** A^-1 b for a symmetric positive definite A, by elimination. */
function solve(matrix: Float64Array, b: readonly number[]): number[] {
  const n = b.length;
  const a = Array.from({ length: n }, (_, i) => [...matrix.subarray(i * n, (i + 1) * n), b[i]]);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = a[i][k] / a[k][k];
      for (let j = k; j <= n; j++) a[i][j] -= factor * a[k][j];
    }
  }
  return a.map((row, i) => row[n] / row[i]);
}
