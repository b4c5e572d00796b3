import { describe, expect, test } from "vitest";
import {
  DiagonalNormal,
  GaussianMixture,
  Logistic,
  StandardNormal,
  StudentT,
  Uniform,
} from "../../src/distributions/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, gradients, logProb } from "./evaluate.ts";

const x = [0, 0.5, -1.25, 3, -20, 1e4];
const LOG_2_PI = Math.log(2 * Math.PI);

describe("normals", () => {
  test("have the log-densities of their formulas, for one and several features", async () => {
    const rows = [0.5, -1, 2, 0, 0, 3];
    const squares = [5.25, 9];
    expectClose(
      await logProb(new StandardNormal({ features: 3 }), rows),
      squares.map((s) => -0.5 * s - 1.5 * LOG_2_PI),
      1e-14,
      "standard",
    );
    const diagonal = new DiagonalNormal({ features: 1 });
    diagonal.mean.value = Float64Array.of(2);
    diagonal.logDeviation.value = Float64Array.of(Math.log(3));
    const expected = x.map((v) => -0.5 * ((v - 2) / 3) ** 2 - Math.log(3) - 0.5 * LOG_2_PI);
    expectClose(await logProb(diagonal, x), expected, 1e-13, "diagonal");
  });

  test("have a finite minimal log-density, with gradient 0", async () => {
    const normal = new StandardNormal({ features: 1 });
    const values = await logProb(normal, [1e6, 1e9, 1e11, 1e30, 3e38], "float32");
    expectClose(values, [-5e11, -5e17, -1e20, -1e20, -1e20], 1e-6, "log-density");
    const [gradient] = await gradients(normal, [1e9, 1e30], "float32");
    expect([gradient[0], Math.abs(gradient[1])]).toEqual([-1e9, 0]);
  });
});

describe("logistic", () => {
  test("has the density of log u - log(1 - u) for uniform u, without cancellation", async () => {
    const logistic = new Logistic({ features: 1 });
    const expected = x.map((v) => -Math.abs(v) - 2 * Math.log1p(Math.exp(-Math.abs(v))));
    expectClose(await logProb(logistic, x), expected, 1e-14, "log-density");
    const rows = await draw(logistic, 20_000);
    expect(kolmogorovSmirnov(rows, (v) => 1 / (1 + Math.exp(-v)))).toBeGreaterThan(1e-3);
  });
});

describe("uniform", () => {
  const box = new Uniform({ features: 2, low: -1, high: 3 });

  test("has a constant log-density on the closed box and -Infinity outside, both with gradient 0", async () => {
    const inside = -2 * Math.log(4);
    const rows = [0, 0, -1, 3, -1.001, 0, 0, 3.001, 1e30, 1e30, Number.POSITIVE_INFINITY, 0];
    const out = Number.NEGATIVE_INFINITY;
    expect([...(await logProb(box, rows))]).toEqual([inside, inside, out, out, out, out]);
    expect([...(await gradients(box, rows))[0]]).toEqual(new Array(12).fill(0));
  });

  test("has uniform samples", async () => {
    const rows = await draw(box, 20_000);
    for (const column of [0, 1]) {
      expect(kolmogorovSmirnov(columnOf(rows, 2, column), (v) => (v + 1) / 4)).toBeGreaterThan(1e-3);
    }
  });
});

describe("Student t", () => {
  // mpmath, 40 digits: loggamma((nu+1)/2) - loggamma(nu/2) - log(nu*pi)/2 - log(2) - (nu+1)/2*log(1+z*z/nu), z = (x-0.5)/2;
  // scipy.stats.t(nu, loc=0.5, scale=2).logpdf(x) agrees to 2e-12.
  const exact: [number, number[]][] = [
    [
      0.1,
      [
        -2.8700972206081627, -2.6030679219282273, -3.790122803791414, -4.149067094526282, -6.430018448157265,
        -13.238347234457988,
      ],
    ],
    [
      1,
      [
        -1.8985016882257804, -1.8378770664093456, -2.406381801762014, -2.778860410873872, -6.50190560940379,
        -18.872163486745738,
      ],
    ],
    [
      2.5,
      [
        -1.7529988460535455, -1.7097867740203954, -2.1773175382996173, -2.5594254516383717,
        -8.292904122691201, -29.916279333839803,
      ],
    ],
    [
      30,
      [
        -1.6526755820980719, -1.6204175059387909, -2.011027017006915, -2.4073885492268507,
        -24.940791421315506, -212.93331558717642,
      ],
    ],
    [
      10000,
      [
        -1.6433637410989677, -1.6121107137645765, -1.9949468397561307, -2.3933778038625304,
        -53.87455093178317, -39127.254125520645,
      ],
    ],
    [
      1e8,
      [
        -1.6433357165673523, -1.612085716264618, -1.994898218627289, -2.3933357179736023, -54.1433086462739,
        -11156179.304358346,
      ],
    ],
    [
      1e12,
      [
        -1.6433357137648983, -1.612085713764868, -1.9948982137651043, -2.393335713765039, -54.143335711057865,
        -12498595.427199205,
      ],
    ],
  ];

  test.each(exact)("with %d degrees of freedom has the log-density of its formula", async (nu, expected) => {
    const t = new StudentT({ features: 1 });
    t.mean.value = Float64Array.of(0.5);
    t.logScale.value = Float64Array.of(Math.log(2));
    t.logDegreesOfFreedom.value = Float64Array.of(Math.log(nu));
    expectClose(await logProb(t, x), expected, 1e-12, "log-density");
    expectClose(await logProb(t, x, "float32"), expected, 3e-6, "log-density in float32");
    const all = await gradients(t, x, "float32");
    for (const gradient of all) expect([...gradient].every(Number.isFinite)).toBe(true);
  });

  test("has samples with the distribution function of two degrees of freedom", async () => {
    const rows = await draw(new StudentT({ features: 1, degreesOfFreedom: 2 }), 20_000);
    expect(kolmogorovSmirnov(rows, (v) => 0.5 + v / (2 * Math.sqrt(2 + v * v)))).toBeGreaterThan(1e-3);
  });

  test("has finite samples in float32 with the heaviest tails", async () => {
    const rows = await draw(new StudentT({ features: 1, degreesOfFreedom: 0.05 }), 20_000, "float32");
    expect([...rows].every(Number.isFinite)).toBe(true);
    expect(Math.max(...rows)).toBeGreaterThan(1e15);
  });
});

describe("Gaussian mixture", () => {
  const D = 3;
  const K = 4;
  const mixture = new GaussianMixture({ features: D, components: K }, new Random(1));
  perturb(parametersOf(mixture), 0.6);

  /** log sum_k w_k N(x; m_k, (A_k A_k^T)^-1), computed with plain loops. */
  function direct(row: ArrayLike<number>): number {
    const weights = Array.from(mixture.logWeights.value, Math.exp);
    const total = weights.reduce((a, b) => a + b);
    let density = 0;
    for (let k = 0; k < K; k++) {
      const a = (i: number, j: number) => {
        if (i === j) return Math.exp(mixture.logDiagonal.value[k * D + i]);
        return i > j ? mixture.lower.value[(k * D + i) * D + j] : 0;
      };
      let squares = 0;
      let logDeterminant = 0;
      for (let j = 0; j < D; j++) {
        let y = 0;
        for (let i = 0; i < D; i++) y += a(i, j) * (row[i] - mixture.means.value[k * D + i]);
        squares += y * y;
        logDeterminant += Math.log(a(j, j));
      }
      density += (weights[k] / total) * Math.exp(-0.5 * squares + logDeterminant - 0.5 * D * LOG_2_PI);
    }
    return Math.log(density);
  }

  test("has the density of the weighted sum of its components", async () => {
    const rows = new Random(2).normal(new Float64Array(30 * D));
    const expected = Array.from({ length: 30 }, (_, r) => direct(rows.subarray(r * D, (r + 1) * D)));
    expectClose(await logProb(mixture, rows), expected, 1e-12, "log-density");
  });

  test("has samples with the weights, means and covariances of its components", async () => {
    const separated = new GaussianMixture({ features: 2, components: 3 }, new Random(1));
    separated.logWeights.value = Float64Array.of(Math.log(0.5), Math.log(0.2), Math.log(0.3));
    separated.means.value = Float64Array.of(0, 0, 100, 0, 0, 100);
    separated.logDiagonal.value = new Float64Array(6).map((_, i) => 0.1 * i);
    separated.lower.value = new Float64Array(12).map((_, i) => (i % 4 === 2 ? 0.8 : 0));
    const n = 30_000;
    const rows = await draw(separated, n);
    const groups: number[][][] = [[], [], []];
    for (let r = 0; r < n; r++) {
      const row = [rows[2 * r], rows[2 * r + 1]];
      groups[row[0] > 50 ? 1 : row[1] > 50 ? 2 : 0].push(row);
    }
    groups.forEach((group, k) => {
      const weight = [0.5, 0.2, 0.3][k];
      expect(Math.abs(group.length / n - weight) / Math.sqrt((weight * (1 - weight)) / n)).toBeLessThan(4);
      const mean = [0, 1].map((i) => group.reduce((sum, row) => sum + row[i], 0) / group.length);
      const covariance = (i: number, j: number) =>
        group.reduce((sum, row) => sum + (row[i] - mean[i]) * (row[j] - mean[j]), 0) / group.length;
      // S = (A A^T)^-1 with A = [a 0; 0.8 b]
      const [a, b] = [Math.exp(0.2 * k), Math.exp(0.2 * k + 0.1)];
      const determinant = (a * b) ** 2;
      const expected = [(0.8 ** 2 + b * b) / determinant, (-0.8 * a) / determinant, (a * a) / determinant];
      [covariance(0, 0), covariance(0, 1), covariance(1, 1)].forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(0.05);
      });
    });
  });
});
