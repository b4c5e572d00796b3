import { describe, expect, test } from "vitest";
import { Elementwise } from "../../src/bijections/index.ts";
import { bernstein } from "../../src/bijections/scalar/bernstein.ts";
import { deepSigmoidal } from "../../src/bijections/scalar/deepSigmoidal.ts";
import { gaussianization } from "../../src/bijections/scalar/gaussianization.ts";
import { monotonicNetwork } from "../../src/bijections/scalar/monotonicNetwork.ts";
import type { ScalarTransformOptions } from "../../src/bijections/scalar/registry.ts";
import type { ScalarTransform } from "../../src/bijections/scalar/scalarTransform.ts";
import { sumOfSquares } from "../../src/bijections/scalar/sumOfSquares.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, integral, lineRule } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { expectClose } from "./invariants.ts";

/** The value of one feature, the derivative that the transform returns, and the one by automatic differentiation. */
function evaluate(transform: ScalarTransform, x: readonly number[], raw: readonly number[]) {
  const run = compile(
    (x, raw) => {
      const { value, logDerivative } = transform.toLatent(x, raw);
      return { z: value, slope: logDerivative.exp(), differentiated: grad(value.sum(), [x])[0] };
    },
    [["N", 1], [raw.length]],
    { precision: "float64" },
  );
  return run(x, raw);
}

const clamp = (v: number, bound: number) => v / (1 + Math.abs(v) / bound);
const L = Math.log(1000);
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const softmax = (v: readonly number[]) => {
  const e = v.map(Math.exp);
  return e.map((x) => x / e.reduce((a, b) => a + b));
};
const numbers = (size: number, seed = 1) => [...new Random(seed).normal(new Float64Array(size))];
/** Simpson's rule. */
const integrate = (f: (t: number) => number, low: number, high: number, count = 4000) => {
  const h = (high - low) / count;
  let sum = f(low) + f(high);
  for (let i = 1; i < count; i++) sum += (i % 2 === 1 ? 4 : 2) * f(low + i * h);
  return (sum * h) / 3;
};

describe("deepSigmoidal", () => {
  test("is the logit of a mixture of sigmoids plus a small multiple of the identity", async () => {
    const raw = numbers(12);
    const [a, b, w] = [raw.slice(0, 4).map((v) => Math.exp(clamp(v, L))), raw.slice(4, 8), raw.slice(8)];
    const factors = [2, -4, 6, -8];
    const weights = softmax(w.map((v) => clamp(v, L)));
    const x = [-3, -0.5, 0, 0.2, 1, 4];
    const expected = x.map((v) => {
      const s = weights.reduce((sum, p, k) => sum + p * sigmoid(a[k] * v + b[k] * factors[k]), 0);
      return 0.999 * Math.log(s / (1 - s)) + 0.001 * v;
    });
    const { z, slope, differentiated } = await evaluate(deepSigmoidal(4), x, raw);
    expectClose(z, expected, 1e-13, "z");
    expectClose(slope, differentiated, 1e-13, "slope");
  });

  test("is linear for large |x| with the slope of its flattest sigmoid, and its slope is at least 1/1000", async () => {
    const raw = [2, 0.5, -1, -9, 0, 9, 0, 0, 0];
    const { slope, differentiated } = await evaluate(
      deepSigmoidal(3),
      [1e30, -1e30, 1e6, ...[-3, -1, 1, 3]],
      raw,
    );
    const flattest = 0.999 * Math.exp(clamp(-1, L)) + 0.001;
    expectClose(slope.subarray(0, 3), [flattest, flattest, flattest], 1e-13, "slope");
    expectClose(slope, differentiated, 1e-12, "slope");
    for (const s of slope) expect(s).toBeGreaterThanOrEqual(1e-3);
  });

  test("with two layers is the composition of both", async () => {
    const raw = numbers(12, 3);
    const x = [-2, 0, 0.7];
    const first = await evaluate(deepSigmoidal(2), x, raw.slice(0, 6));
    const second = await evaluate(deepSigmoidal(2), [...first.z], raw.slice(6));
    const both = await evaluate(deepSigmoidal(2, 2), x, raw);
    expectClose(both.z, second.z, 1e-13, "z");
    expectClose(
      both.slope,
      first.slope.map((s, i) => s * second.slope[i]),
      1e-13,
      "slope",
    );
  });
});

test("bernstein is its polynomial on [-B, B], and the tangents at the ends outside", async () => {
  const raw = numbers(5);
  const [n, B] = [4, 2];
  const steps = raw.slice(0, n).map((v) => ((2 * B) / n) * Math.exp(clamp(v, L)));
  const total = steps.reduce((a, b) => a + b);
  let position = 0;
  const c = [0, ...steps].map((step) => {
    position += step;
    return position - total / 2 + raw[4];
  });
  const choose = [1, 4, 6, 4, 1];
  const polynomial = (x: number) =>
    c.reduce((sum, ck, k) => {
      const u = (x + B) / (2 * B);
      return sum + ck * choose[k] * u ** k * (1 - u) ** (n - k);
    }, 0);
  const inside = [-2, -1.5, 0, 0.3, 2];
  const { z, slope, differentiated } = await evaluate(bernstein(n, B), [...inside, -1e6, 7], raw);
  const ends = [steps[0], steps[n - 1]].map((step) => (step * n) / (2 * B));
  expectClose(z, [...inside.map(polynomial), c[0] + ends[0] * (2 - 1e6), c[n] + 5 * ends[1]], 1e-12, "z");
  expectClose(slope, differentiated, 1e-12, "slope");
  expectClose(slope.subarray(5), ends, 1e-12, "slope outside");
});

test("sumOfSquares is the integral of its sum of squares", async () => {
  const raw = numbers(8);
  const [n, B] = [3, 2];
  const maxOffset = (Math.sqrt(500) - 1) / (n + 1);
  const p = raw.slice(0, 4).map((v, k) => clamp(v, maxOffset) + (k === 3 ? 1 : 0));
  const q = raw.slice(4, 7).map((v, k) => clamp(v, maxOffset) + (k === 2 ? 1 : 0));
  const slopeAt = (t: number) => {
    const angle = Math.acos(t / B);
    const cosines = p.reduce((sum, c, k) => sum + c * Math.cos(k * angle), 0);
    const sines = q.reduce((sum, c, k) => sum + c * Math.sin((k + 1) * angle), 0);
    return 0.999 * (cosines ** 2 + sines ** 2) + 0.001;
  };
  const x = [-1.9, -0.4, 0, 0.7, 1.6];
  const { z, slope, differentiated } = await evaluate(sumOfSquares(n, B), [...x, 2, 5], raw);
  expectClose(
    z.subarray(0, 5),
    x.map((v) => raw[7] + integrate(slopeAt, 0, v)),
    1e-9,
    "z",
  );
  expectClose(slope, differentiated, 1e-11, "slope");
  expectClose(slope.subarray(0, 5), x.map(slopeAt), 1e-11, "slope");
  expect(z[6] - z[5]).toBeCloseTo(3 * slope[5], 9);
});

describe("monotonicNetwork", () => {
  test("is the integral of its integrand", async () => {
    const raw = numbers(11);
    const B = 2;
    const integrand = (t: number) => {
      const sum = [0, 1, 2].reduce((sum, k) => {
        const a = 0.75 * Math.exp(clamp(raw[k], Math.log(3)));
        const center = B * ((2 * k + 1) / 3 - 1) + raw[3 + k];
        return sum + clamp(raw[6 + k], L) * Math.tanh(a * (t - center));
      }, raw[9]);
      return Math.exp(L * Math.tanh(sum / L));
    };
    const x = [-1.5, 0, 0.4, 2, 6];
    const { z, slope } = await evaluate(monotonicNetwork(3, 48, B), x, raw);
    expectClose(
      slope,
      x.map((v) => integrand(Math.min(v, B))),
      1e-12,
      "slope",
    );
    const expected = x.map(
      (v) => raw[10] + integrate(integrand, 0, Math.min(v, B)) + Math.max(0, v - B) * integrand(B),
    );
    expectClose(z, expected, 1e-11, "z");
  });

  // The errors that the documentation gives.
  test.each([
    [32, 1, 2.5e-7],
    [48, 1, 2e-12],
    [64, 1, 1e-13],
    [32, 3, 7e-4],
    [48, 3, 5e-8],
    [64, 3, 6e-12],
  ])(
    "has a quadrature error with %d nodes and parameters of deviation %d below %d",
    async (nodes, deviation, maxError) => {
      const transform = monotonicNetwork(8, nodes, 5);
      const rows = 500;
      const run = compile(
        (x, raw) => {
          const { value, logDerivative } = transform.toLatent(x, raw);
          return grad(value.sum(), [x])[0].mul(logDerivative.neg().exp()).sub(1);
        },
        [
          ["N", 1],
          ["N", transform.parameters],
        ],
        { precision: "float64" },
      );
      const raw = numbers(rows * transform.parameters).map((v) => deviation * v);
      const x = Array.from({ length: rows }, (_, i) => -4.99 + 9.98 * ((i * 0.618) % 1));
      for (const error of await run(x, raw)) expect(Math.abs(error)).toBeLessThan(maxError);
    },
  );
});

describe("gaussianization", () => {
  test("maps its mixture to a standard normal", async () => {
    const transform = gaussianization(2);
    // Centers are the parameters times 2 and -4.
    const centers = [-1.5, 2];
    const raw = [Math.log(2) / (1 - Math.log(2) / L), 0, clampInverse(-1.5) / 2, clampInverse(2) / -4, 0, 0];
    const scales = [1 / 2, 1];
    const size = 4000;
    const [noise, choice] = [numbers(size), new Random(2).uniform(new Float64Array(size))];
    const x = noise.map((e, i) => centers[choice[i] < 0.5 ? 0 : 1] + scales[choice[i] < 0.5 ? 0 : 1] * e);
    const { z, slope, differentiated } = await evaluate(transform, x, raw);
    // Without the multiple of the identity.
    const pure = z.map((v, i) => (v - 0.001 * x[i]) / 0.999);
    const rule = lineRule(4001, 10);
    const normal = cumulative(
      rule,
      rule.nodes.map((v) => Math.exp(-0.5 * v * v) / Math.sqrt(2 * Math.PI)),
    );
    expect(kolmogorovSmirnov(pure, normal)).toBeGreaterThan(0.01);
    expectClose(slope, differentiated, 1e-9, "slope");
  });

  test("is linear for large |x|", async () => {
    const x = [2000, 3000, 1e6, -2000, -3000, -1e6, 1e30, -1e30, 900, 50];
    const { z, slope, differentiated } = await evaluate(gaussianization(3), x, numbers(9));
    expectClose(slope, differentiated, 1e-8, "slope");
    expect([...z].every(Number.isFinite)).toBe(true);
    for (const start of [0, 3]) {
      const line = [0, 1, 2].map((i) => z[start] + slope[start] * (x[start + i] - x[start]));
      expectClose(z.slice(start, start + 3), line, 1e-12, "z");
      expectClose(slope.slice(start, start + 3), new Array(3).fill(slope[start]), 1e-12, "slope");
    }
  });
});

/** The number that softClamp(1000) maps to v. */
const clampInverse = (v: number) => v / (1 - Math.abs(v) / 1000);

describe.each([
  { type: "bernstein", degree: 6 },
  { type: "deepSigmoidal", units: 4, layers: 2 },
  { type: "gaussianization", components: 4 },
  { type: "monotonicNetwork", units: 4 },
  { type: "sumOfSquares", degree: 3 },
] as ScalarTransformOptions[])("an elementwise flow of $type", (transform) => {
  test("has a density that integrates to 1 and that its samples follow", async () => {
    const bijection = new Elementwise({ features: 1, transform });
    const flow = new Flow(new StandardNormal({ features: 1 }), bijection);
    perturb(flow.parameters(), 0.5);
    const rule = lineRule(20_001, 200);
    const logProb = await flow.logProb(rule.nodes, undefined, { precision: "float64", threads: 1 });
    expect(integral(logProb, rule.weights)).toBeCloseTo(1, 5);
    const samples = await flow.sample(1000, { seed: 3, threads: 1 });
    expect(kolmogorovSmirnov(samples, cumulative(rule, logProb.map(Math.exp)))).toBeGreaterThan(0.01);
  });
});
