import { describe, expect, test } from "vitest";
import {
  Cauchy,
  DiagonalNormal,
  GeneralizedNormal,
  Laplace,
  StandardNormal,
  StudentT,
  VonMises,
} from "../../src/distributions/index.ts";
import type { Parameter } from "../../src/graph/parameter.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "../bijections/invariants.ts";
import { logGamma } from "../graph/special.ts";
import { kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, intervalRule } from "../mathematics/quadrature.ts";
import { draw, gradients, logProb } from "./evaluate.ts";

const x = [0, 0.5, -1.25, 3, -20, 1e4];
const set = (parameter: Parameter, value: number) => {
  parameter.value = Float64Array.of(value);
};

describe("Laplace", () => {
  const laplace = new Laplace({ features: 1 });
  set(laplace.location, 0.5);
  set(laplace.logScale, Math.log(2));

  test("has the log-density of its formula", async () => {
    const expected = x.map((v) => -Math.abs(v - 0.5) / 2 - Math.log(4));
    expectClose(await logProb(laplace, x), expected, 1e-14, "log-density");
  });

  test("has samples with its distribution function", async () => {
    const rows = await draw(laplace, 20_000);
    const probability = (v: number) =>
      v < 0.5 ? 0.5 * Math.exp((v - 0.5) / 2) : 1 - 0.5 * Math.exp((0.5 - v) / 2);
    expect(kolmogorovSmirnov(rows, probability)).toBeGreaterThan(1e-3);
  });
});

describe("Cauchy", () => {
  const cauchy = new Cauchy({ features: 1 });

  test("has the log-density of its formula, which is that of Student's t with one degree of freedom", async () => {
    const expected = x.map((v) => -Math.log1p(v * v) - Math.log(Math.PI));
    expectClose(await logProb(cauchy, x), expected, 1e-13, "log-density");
    expectClose(
      await logProb(new StudentT({ features: 1, degreesOfFreedom: 1 }), x),
      expected,
      1e-12,
      "Student t",
    );
    const [far] = await logProb(cauchy, [1e30], "float32");
    expect(far).toBeCloseTo(-60 * Math.LN10 - Math.log(Math.PI), 3);
  });

  test("has samples with its distribution function", async () => {
    const rows = await draw(cauchy, 20_000);
    expect(kolmogorovSmirnov(rows, (v) => 0.5 + Math.atan(v) / Math.PI)).toBeGreaterThan(1e-3);
  });
});

describe("generalized normal", () => {
  test.each([0.3, 1, 2, 3.7, 50])("with exponent %d has the log-density of its formula", async (beta) => {
    const distribution = new GeneralizedNormal({ features: 1, exponent: beta });
    set(distribution.location, 0.25);
    set(distribution.logScale, Math.log(2));
    const expected = [0, 0.5, -1.25, 2.2, -1.9].map(
      (v) => -((Math.abs(v - 0.25) / 2) ** beta) - Math.log(4) - logGamma(1 + 1 / beta),
    );
    expectClose(await logProb(distribution, [0, 0.5, -1.25, 2.2, -1.9]), expected, 1e-12, "log-density");
    for (const precision of ["float32", "float64"] as const) {
      // Including the center, where the gradient of |x|^beta is infinite for beta < 1.
      for (const gradient of await gradients(distribution, [0.25, 0, 1e30, -1e-38], precision))
        expect([...gradient].every(Number.isFinite)).toBe(true);
    }
  });

  test("is finite in float32 from the smallest exponent on, and refuses smaller ones", async () => {
    const distribution = new GeneralizedNormal({ features: 1, exponent: 0.05 });
    const values = await logProb(distribution, Float32Array.of(0, 1e-20, 1, 1e10), "float32");
    expect(Array.from(values).every(Number.isFinite)).toBe(true);
    const rows = await draw(distribution, 100, "float32");
    expect(Array.from(rows).every(Number.isFinite)).toBe(true);
    expect(() => new GeneralizedNormal({ features: 1, exponent: 0.03 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a generalized normal distribution is not valid at exponent: expected at least 0.05, received 0.03.]`,
    );
  });

  test("is initially standard normal, and standard Laplace with exponent 1", async () => {
    const rows = [0, 0.5, -1.25, 3, -20];
    expectClose(
      await logProb(new GeneralizedNormal({ features: 1 }), rows),
      await logProb(new StandardNormal({ features: 1 }), rows),
      1e-13,
      "normal",
    );
    expectClose(
      await logProb(new GeneralizedNormal({ features: 1, exponent: 1 }), rows),
      await logProb(new Laplace({ features: 1 }), rows),
      1e-13,
      "Laplace",
    );
  });

  test.each([
    // sqrt(|z|) is Gamma(2) for beta = 1/2; Laplace for beta = 1; nearly uniform for large beta.
    [0.5, (t: number) => 1 - Math.exp(-Math.sqrt(t)) * (1 + Math.sqrt(t))],
    [1, (t: number) => 1 - Math.exp(-t)],
    [1e4, (t: number) => Math.min(1, t)],
  ])("with exponent %d has samples with its distribution function", async (beta, within) => {
    const distribution = new GeneralizedNormal({ features: 1, exponent: beta });
    set(distribution.logScale, 0);
    const rows = await draw(distribution, 20_000);
    const probability = (v: number) => 0.5 + 0.5 * Math.sign(v) * within(Math.abs(v));
    expect(kolmogorovSmirnov(rows, probability)).toBeGreaterThan(1e-3);
  });

  test("has samples with a mean square of exp(2 s) Gamma(3 / beta) / Gamma(1 / beta)", async () => {
    const distribution = new GeneralizedNormal({ features: 1, exponent: 3 });
    set(distribution.logScale, 0);
    const n = 100_000;
    const square = Float64Array.from(await draw(distribution, n)).reduce((sum, v) => sum + v * v, 0) / n;
    expect(Math.abs(square / Math.exp(logGamma(1) - logGamma(1 / 3)) - 1)).toBeLessThan(0.015);
  });
});

/** log(exp(-kappa) I_0(kappa)) by quadrature with many equal steps over the circle. */
function logScaledBessel(kappa: number): number {
  const steps = 100_000;
  let sum = 0;
  for (let k = 0; k < steps; k++) sum += Math.exp(-2 * kappa * Math.sin((Math.PI * k) / steps) ** 2);
  return Math.log(sum / steps);
}

describe("von Mises", () => {
  const angles = [0, 0.5, -1.25, 3, -Math.PI, Math.PI];
  const make = (kappa: number, location = 2) => {
    const distribution = new VonMises({ features: 1, concentration: kappa });
    set(distribution.location, location);
    return distribution;
  };

  test.each([1e-8, 0.1, 1, 10, 49.999, 50.001, 700, 1e6])(
    "with concentration %d has the log-density of its formula, without overflow",
    async (kappa) => {
      const expected = angles.map(
        (v) => -2 * kappa * Math.sin((v - 2) / 2) ** 2 - Math.log(2 * Math.PI) - logScaledBessel(kappa),
      );
      expectClose(await logProb(make(kappa), angles), expected, 1e-12, "log-density");
      const single = await logProb(make(kappa), angles.slice(0, 4), "float32");
      expectClose(single, expected.slice(0, 4), 3e-6, "log-density in float32");
      for (const gradient of await gradients(make(kappa), angles.slice(0, 4), "float32"))
        expect([...gradient].every(Number.isFinite)).toBe(true);
    },
  );

  test("approaches a normal distribution of variance 1 / kappa", async () => {
    const normal = new DiagonalNormal({ features: 1 });
    set(normal.logDeviation, -0.5 * Math.log(1e8));
    const near = [0, 1e-4, -2e-4];
    expectClose(await logProb(make(1e8, 0), near), await logProb(normal, near), 1e-6, "log-density");
  });

  test("has a log-density of -Infinity outside of [-pi, pi]", async () => {
    const [value] = await logProb(make(1), [3.2]);
    expect(value).toBe(Number.NEGATIVE_INFINITY);
  });

  test("has samples in [-pi, pi], also if rounding adds a revolution", async () => {
    // With uniform numbers of 0.5 the sample is the location: in float32, the number before pi.
    const distribution = make(100, 3.1415925);
    const run = compile(
      (angles, uniforms) => distribution.logProb(distribution.sample([angles, uniforms])),
      distribution.noise.map(({ size }) => ["N", size] as const),
    );
    const uniforms = distribution.noise.map(({ size }) => new Float32Array(size).fill(0.5));
    expect((await run(...uniforms))[0]).toBeGreaterThan(1);
    await run.release();
  });

  test.each([1e-3, 0.2, 3, 300, 1e7])("with concentration %d has samples with its density", async (kappa) => {
    const distribution = make(kappa, kappa > 100 ? 0.5 : 3);
    const rows = await draw(distribution, 20_000);
    expect(rows.every((v) => Math.abs(v) <= Math.PI)).toBe(true);
    const halfWidth = Math.min(Math.PI, 12 / Math.sqrt(kappa));
    const rule =
      kappa > 100
        ? intervalRule(0.5 - halfWidth, 0.5 + halfWidth, 8001)
        : intervalRule(-Math.PI, Math.PI, 8001);
    const density = (await logProb(distribution, rule.nodes)).map(Math.exp);
    expect(kolmogorovSmirnov(rows, cumulative(rule, density))).toBeGreaterThan(1e-3);
  });

  test("has samples at the exact angles of accepted proposals", async () => {
    const distribution = make(0.75, 0);
    const run = compile(
      (angle, uniform) => distribution.sample([angle, uniform]),
      distribution.noise.map(({ size }) => ["N", size] as const),
      { precision: "float64" },
    );
    const size = distribution.noise[0].size;
    const uniforms = [1e-12, 0.01, 0.2, 0.4999, 0.5, 0.65, 0.9, 1 - 1e-12];
    const proposals = uniforms.flatMap((u) => new Array(size).fill(u));
    // With uniform numbers near 0 the first proposal is accepted.
    const rows = await run(proposals, new Array(proposals.length).fill(1e-300));
    const expected = uniforms.map((u) => 2 * Math.atan(Math.tan(Math.PI * (u - 0.5)) / 2));
    expectClose(rows, expected, 1e-14, "angle");
  });
});
