import { describe, expect, test } from "vitest";
import { circularSpline } from "../../src/bijections/scalar/circularSpline.ts";
import { cubicSpline } from "../../src/bijections/scalar/cubicSpline.ts";
import { linearSpline } from "../../src/bijections/scalar/linearSpline.ts";
import { quadraticSpline } from "../../src/bijections/scalar/quadraticSpline.ts";
import { rationalQuadraticSpline } from "../../src/bijections/scalar/rationalQuadraticSpline.ts";
import type { ScalarTransform } from "../../src/bijections/scalar/scalarTransform.ts";
import { grad } from "../../src/graph/grad.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { extremeValues, nextFloat } from "./extremes.ts";
import { allFinite, expectClose } from "./invariants.ts";

const BINS = 5;
const BOUND = 3;

/** Both directions of a transform of one feature at many points, with the same raw parameters at each. */
function evaluate(transform: ScalarTransform, precision: Precision = "float64") {
  const P = transform.parameters;
  const run = compile(
    (x, raw) => {
      const latent = transform.toLatent(x, raw);
      const data = transform.toData(x, raw);
      const both = (part: typeof latent) => part.value.sum().add(part.logDerivative.sum());
      const [slope, byRaw] = grad(latent.value.sum(), [x, raw]);
      const [dataSlope, dataByRaw] = grad(data.value.sum(), [x, raw]);
      const [curvature] = grad(data.logDerivative.sum(), [x]);
      const [secondSlope] = grad(dataSlope.sum(), [x]);
      return {
        latent: latent.value,
        latentLog: latent.logDerivative,
        data: data.value,
        dataLog: data.logDerivative,
        slope,
        byRaw,
        dataSlope,
        dataByRaw,
        curvature,
        secondSlope,
        all: grad(both(latent).add(both(data)), [raw])[0],
      };
    },
    [
      ["N", 1],
      ["N", P],
    ],
    { precision },
  );
  return (x: ArrayLike<number>, raw: ArrayLike<number>) =>
    run(
      x,
      Float64Array.from({ length: x.length * P }, (_, i) => raw[i % P]),
    );
}

const clamp = (a: number, bound: number) => a / (1 + Math.abs(a) / bound);
const exps = (raw: ArrayLike<number>, bound = Math.log(1000) / 2) =>
  Array.from(raw, (a) => Math.exp(clamp(a, bound)));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const scaled = (values: readonly number[], total = 2 * BOUND) => values.map((v) => (v * total) / sum(values));
const edges = (sizes: readonly number[]) =>
  Array.from({ length: sizes.length + 1 }, (_, k) => -BOUND + sum(sizes.slice(0, k)));

/** The bin of x and the distance of x from its lower edge. */
function locate(x: number, knots: readonly number[]): { k: number; t: number } {
  let k = 0;
  while (k < knots.length - 2 && x >= knots[k + 1]) k++;
  return { k, t: x - knots[k] };
}

type Reference = (x: number, raw: number[]) => number;

/** z on [-B, B] by the papers' formulas. */
const references: Record<string, { transform: ScalarTransform; reference: Reference }> = {
  linear: {
    transform: linearSpline({ bins: BINS, bound: BOUND, tails: "linear" }),
    reference(x, raw) {
      const heights = scaled(exps(raw));
      const { k, t } = locate(x, edges(heights.map(() => (2 * BOUND) / BINS)));
      return edges(heights)[k] + (t * heights[k] * BINS) / (2 * BOUND);
    },
  },
  quadratic: {
    transform: quadraticSpline({ bins: BINS, bound: BOUND, tails: "linear" }),
    reference(x, raw) {
      const widths = scaled(exps(raw.slice(0, BINS)));
      const free = exps(raw.slice(BINS));
      // The inner slopes are scaled such that the heights sum to 2 B; the two outer slopes are 1.
      const under = free.map((v, j) => (v * (widths[j] + widths[j + 1])) / 2);
      const factor = (2 * BOUND - (widths[0] + widths[BINS - 1]) / 2) / sum(under);
      return integrated(x, widths, [1, ...free.map((v) => v * factor), 1]);
    },
  },
  "quadratic without tails": {
    transform: quadraticSpline({ bins: BINS, bound: BOUND, tails: "none" }),
    reference(x, raw) {
      const widths = scaled(exps(raw.slice(0, BINS)));
      const free = exps(raw.slice(BINS));
      const factor = (2 * BOUND) / sum(widths.map((w, k) => (w * (free[k] + free[k + 1])) / 2));
      return integrated(
        x,
        widths,
        free.map((v) => v * factor),
      );
    },
  },
  cubic: {
    transform: cubicSpline({ bins: BINS, bound: BOUND, tails: "linear" }),
    reference(x, raw) {
      const widths = scaled(exps(raw.slice(0, BINS)));
      const last = BINS - 1;
      const isEnd = (k: number) => k === 0 || k === last;
      const shares = exps(raw.slice(BINS)).map((e, k) => (isEnd(k) ? e / 2 : e));
      const rest = 2 * BOUND - (widths[0] + widths[last]) / 2;
      const heights = scaled(shares, rest).map((h, k) => (isEnd(k) ? h + widths[k] / 2 : h));
      return hermite(x, widths, heights, [1, 1]);
    },
  },
  "cubic without tails": {
    transform: cubicSpline({ bins: BINS, bound: BOUND, tails: "none" }),
    reference(x, raw) {
      const widths = scaled(exps(raw.slice(0, BINS)));
      const heights = scaled(exps(raw.slice(BINS, 2 * BINS)));
      const end = (k: number, a: number) =>
        (2 * heights[k]) / widths[k] / (1 + Math.exp(-clamp(a, Math.log(1000))));
      return hermite(x, widths, heights, [end(0, raw[2 * BINS]), end(BINS - 1, raw[2 * BINS + 1])]);
    },
  },
  "rational-quadratic without tails": {
    transform: rationalQuadraticSpline({ bins: BINS, bound: BOUND, tails: "none" }),
    reference(x, raw) {
      const widths = scaled(exps(raw.slice(0, BINS)));
      const heights = scaled(exps(raw.slice(BINS, 2 * BINS)));
      const slopes = exps(raw.slice(2 * BINS), Math.log(1000));
      const { k, t: distance } = locate(x, edges(widths));
      const [t, s] = [distance / widths[k], heights[k] / widths[k]];
      const correction = (slopes[k + 1] + slopes[k] - 2 * s) * t * (1 - t);
      return edges(heights)[k] + (heights[k] * (s * t * t + slopes[k] * t * (1 - t))) / (s + correction);
    },
  },
};

/** The integral from -B to x of the piecewise linear slope. */
function integrated(x: number, widths: readonly number[], slopes: readonly number[]): number {
  const { k, t } = locate(x, edges(widths));
  const full = widths.slice(0, k).map((w, i) => (w * (slopes[i] + slopes[i + 1])) / 2);
  return -BOUND + sum(full) + slopes[k] * t + ((slopes[k + 1] - slopes[k]) * t * t) / (2 * widths[k]);
}

/** The Hermite cubic with Steffen's slopes at inner edges and given slopes at the ends. */
function hermite(x: number, widths: number[], heights: number[], [first, last]: [number, number]): number {
  const s = widths.map((w, k) => heights[k] / w);
  const inner = s.slice(1).map((right, k) => {
    const p = (s[k] * widths[k + 1] + right * widths[k]) / (widths[k] + widths[k + 1]);
    return 2 * Math.min(s[k], right, p / 2);
  });
  const d = [first, ...inner, last];
  const { k, t } = locate(x, edges(widths));
  const a = (d[k] + d[k + 1] - 2 * s[k]) / widths[k] ** 2;
  const b = (3 * s[k] - 2 * d[k] - d[k + 1]) / widths[k];
  return edges(heights)[k] + ((a * t + b) * t + d[k]) * t;
}

const trained = (P: number) =>
  [1, 2, 3].map((seed) => Array.from(new Random(seed).normal(new Float64Array(P)), (v) => 1.5 * v));
const points = Array.from({ length: 241 }, (_, i) => (i - 120) * 0.0249);

describe.each(Object.entries(references))("%s", (name, { transform, reference }) => {
  const P = transform.parameters;
  const bounded = name.endsWith("without tails");
  const run = evaluate(transform);

  test("equals the formula and is inverted", async () => {
    for (const raw of trained(P)) {
      const out = await run(points, raw);
      expectClose(
        out.latent,
        points.map((x) => reference(x, raw)),
        1e-12,
        "z",
      );
      expectClose(out.latentLog, out.slope.map(Math.log), 1e-9, "log-derivative");
      const back = await run(out.latent, raw);
      expectClose(back.data, points, 1e-11, "x");
      expectClose(
        back.dataLog.map((v) => -v),
        out.latentLog,
        1e-9,
        "log-derivative of the inverse",
      );
      expectClose(back.dataLog, back.dataSlope.map(Math.log), 1e-9, "slope of the inverse");
      for (let i = 1; i < points.length; i++) expect(out.latent[i]).toBeGreaterThan(out.latent[i - 1]);
    }
  });

  test("has gradients of its inverse with respect to parameters, and second derivatives", async () => {
    const [raw] = trained(P);
    const z = points.map((v) => v + 0.001);
    const { data, dataByRaw, dataSlope, secondSlope, curvature } = await run(z, raw);
    // At constant z, dx/draw = -(dz/draw) (dx/dz), and d log(dx/dz)/dz = x'' / x'.
    const { byRaw } = await run(data, raw);
    expectClose(
      dataByRaw,
      byRaw.map((v, i) => -v * dataSlope[Math.floor(i / P)]),
      1e-9,
      "parameters",
    );
    expectClose(
      secondSlope,
      curvature.map((v, i) => v * dataSlope[i]),
      1e-8,
      "second derivative",
    );
  });

  test("starts as the identity", async () => {
    const ends = [-1, 1].flatMap((sign) => [sign * BOUND, sign * nextFloat(BOUND, -1, "float64")]);
    const out = await run([...points, ...ends], new Float64Array(P));
    expectClose(out.latent, [...points, ...ends], 1e-13, "z");
    expectClose(out.data, [...points, ...ends], 1e-13, "x");
    expectClose(out.slope, new Array(points.length + 4).fill(1), 1e-12, "slope");
  });

  test(
    bounded ? "has log-derivative -Infinity outside [-B, B]" : "is the identity outside [-B, B]",
    async () => {
      const beyond = [-1, 1].flatMap((sign) => [sign * nextFloat(BOUND, 1, "float64"), sign * 10]);
      for (const raw of trained(P)) {
        const { latent, latentLog, data, dataLog, slope, all } = await run(beyond, raw);
        expect([...latent]).toEqual(beyond);
        expect([...data]).toEqual(beyond);
        const outside = bounded ? -Infinity : 0;
        expect([...latentLog, ...dataLog].every((v) => v === outside)).toBe(true);
        expect([...slope]).toEqual(beyond.map(() => 1));
        expect(all.every((v) => v === 0)).toBe(true);
        const corners = await run([-BOUND, BOUND], raw);
        expectClose(corners.latent, [-BOUND, BOUND], 1e-15, "z at the corners");
        // Results must lie in the support of a base distribution on [-B, B].
        if (bounded) expect([...corners.latentLog].every(Number.isFinite)).toBe(true);
      }
    },
  );

  test.each(["float32", "float64"] as const)("is finite in %s for any parameters", async (precision) => {
    const runInPrecision = precision === "float32" ? evaluate(transform, precision) : run;
    for (const value of [1e-30, 3, -3, 30, 1e30, -1e30]) {
      const raws = [1, 2, 3].map((period) =>
        Array.from({ length: P }, (_, i) => (i % period ? value : -value)),
      );
      for (const raw of raws) {
        const out = await runInPrecision([...extremeValues(precision), ...points], raw);
        for (const [part, values] of Object.entries(out)) {
          const log = bounded && part.endsWith("Log");
          const finite = log ? values.map((v) => (v === -Infinity ? 0 : v)) : values;
          expect(allFinite(finite), `${part} with parameters ${value}`).toBe(true);
        }
        if (bounded)
          for (let i = 0; i < points.length; i++)
            expect(Math.abs(out.latent[out.latent.length - 1 - i])).toBeLessThanOrEqual(BOUND);
      }
    }
  });
});

test("slopes of quadratic and cubic splines are continuous and 1 at the ends, those of linear splines jump", async () => {
  const step = 1e-8;
  for (const [name, smooth] of [
    ["linear", false],
    ["quadratic", true],
    ["cubic", true],
  ] as const) {
    const { transform } = references[name];
    const [raw] = trained(transform.parameters);
    const widths =
      name === "linear" ? new Array(BINS).fill((2 * BOUND) / BINS) : scaled(exps(raw.slice(0, BINS)));
    const knots = edges(widths);
    const run = evaluate(transform);
    const [left, right] = [
      await run(
        knots.map((x) => x - step),
        raw,
      ),
      await run(
        knots.map((x) => x + step),
        raw,
      ),
    ];
    const jump = Math.max(...left.slope.map((v, i) => Math.abs(v - right.slope[i])));
    if (smooth) expect(jump).toBeLessThan(1e-5);
    else expect(jump).toBeGreaterThan(0.1);
    if (smooth) expectClose([right.slope[0], left.slope[BINS]], [1, 1], 1e-5, "slope at the ends");
  }
});

test("the inverse of a cubic bin is accurate for very unequal slopes", async () => {
  const transform = cubicSpline({ bins: 3, bound: 1, tails: "none" });
  const run = evaluate(transform);
  const u = Array.from({ length: 2001 }, (_, i) => -1 + i / 1000);
  for (let seed = 0; seed < 8; seed++) {
    const raw = new Random(seed).normal(new Float64Array(8)).map((v) => 12 * v);
    const { data } = await run(u, raw);
    const { latent } = await run(data, raw);
    expectClose(latent, u, 1e-13, "z");
  }
});

describe("circular spline", () => {
  const transform = circularSpline(BINS);
  const P = transform.parameters;
  const run = evaluate(transform);
  const angles = Array.from({ length: 200 }, (_, i) => -Math.PI + ((i + 0.37) * 2 * Math.PI) / 200);
  const angularDistance = (a: number, b: number) => Math.abs(Math.sin((a - b) / 2));

  test("has the period 2 pi, and is inverted modulo 2 pi", async () => {
    for (const raw of trained(P)) {
      const out = await run(angles, raw);
      for (const periods of [-2, 1]) {
        const shifted = await run(
          angles.map((x) => x + periods * 2 * Math.PI),
          raw,
        );
        expectClose(shifted.latent, out.latent, 1e-11, "z");
        expectClose(shifted.latentLog, out.latentLog, 1e-11, "log-derivative");
        expectClose(shifted.data, out.data, 1e-11, "x");
      }
      const back = await run(out.latent, raw);
      back.data.forEach((x, i) => {
        expect(angularDistance(x, angles[i])).toBeLessThan(1e-12);
      });
      for (const z of [...out.latent, ...out.data]) expect(Math.abs(z)).toBeLessThanOrEqual(Math.PI);
    }
  });

  test("has a continuous slope at +-pi, and covers the circle once", async () => {
    const step = 1e-9;
    for (const raw of trained(P)) {
      const { latent, slope } = await run([-Math.PI + step, Math.PI - step], raw);
      expect(angularDistance(latent[0], latent[1])).toBeLessThan(1e-6);
      expect(Math.abs(slope[0] / slope[1] - 1)).toBeLessThan(1e-5);
      expect(Math.abs(slope[0] - 1)).toBeGreaterThan(0.05);
      const { latentLog } = await run(angles, raw);
      const mean = sum([...latentLog].map(Math.exp)) / angles.length;
      expect(Math.abs(mean - 1)).toBeLessThan(0.01);
    }
  });

  test("rotates by its phase", async () => {
    const raw = new Float64Array(P);
    raw[P - 1] = 2;
    const { latent, data, latentLog } = await run([0, 1, 2, -3], raw);
    expectClose(latent, [2, 3, 4 - 2 * Math.PI, -1], 1e-13, "z");
    expectClose(data, [-2, -1, 0, 2 * Math.PI - 5], 1e-13, "x");
    expectClose(latentLog, [0, 0, 0, 0], 1e-13, "log-derivative");
  });

  test.each(["float32", "float64"] as const)("is finite and on the circle in %s", async (precision) => {
    const runInPrecision = precision === "float32" ? evaluate(transform, precision) : run;
    const end = precision === "float32" ? Math.fround(Math.PI) : Math.PI;
    for (const value of [0, 3, -30, 1e30]) {
      const raw = Array.from({ length: P }, (_, i) => (i % 2 ? value : -value));
      const out = await runInPrecision([...extremeValues(precision), ...angles], raw);
      for (const [part, values] of Object.entries(out)) expect(allFinite(values), part).toBe(true);
      for (const z of [...out.latent, ...out.data]) expect(Math.abs(z)).toBeLessThanOrEqual(end);
    }
  });
});
