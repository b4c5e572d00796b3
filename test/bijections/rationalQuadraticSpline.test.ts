import { describe, expect, test } from "vitest";
import { rationalQuadraticSpline } from "../../src/bijections/scalar/rationalQuadraticSpline.ts";
import { grad } from "../../src/graph/grad.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { extremeValues, nextFloat } from "./extremes.ts";
import { allFinite, expectClose } from "./invariants.ts";

const BINS = 6;
const BOUND = 3;
const P = 3 * BINS - 1;
const transform = rationalQuadraticSpline({ bins: BINS, bound: BOUND, tails: "linear" });

/** A spline of one feature at many points, with the same raw parameters at each. */
function spline(precision: Precision) {
  const run = compile(
    (x, raw) => {
      const latent = transform.toLatent(x, raw);
      const data = transform.toData(x, raw);
      const slope = grad(latent.value.sum(), [x])[0];
      const byRaw = grad(latent.value.sum().add(latent.logDerivative.sum()), [raw])[0];
      const dataByRaw = grad(data.value.sum().add(data.logDerivative.sum()), [raw])[0];
      const curvature = grad(latent.logDerivative.sum(), [x])[0];
      return {
        latent: latent.value,
        latentLog: latent.logDerivative,
        data: data.value,
        dataLog: data.logDerivative,
        slope,
        byRaw,
        dataByRaw,
        curvature,
      };
    },
    [
      ["N", 1],
      ["N", P],
    ],
    { precision },
  );
  return (x: readonly number[], raw: ArrayLike<number>) =>
    run(
      x,
      Float64Array.from({ length: x.length * P }, (_, i) => raw[i % P]),
    );
}

/** Knots and slopes as in the paper (Durkan et al. 2019, section 3.1), from the raw parameters. */
function knots(raw: ArrayLike<number>) {
  const clamp = (a: number, bound: number) => a / (1 + Math.abs(a) / bound);
  const sizes = (start: number) => {
    const weights = Array.from({ length: BINS }, (_, k) =>
      Math.exp(clamp(raw[start + k], Math.log(1000) / 2)),
    );
    const total = weights.reduce((a, b) => a + b);
    return weights.map((w) => (2 * BOUND * w) / total);
  };
  const cumulative = (parts: number[]) => {
    const edges = [-BOUND];
    for (const part of parts) edges.push(edges[edges.length - 1] + part);
    return edges;
  };
  const inner = Array.from({ length: BINS - 1 }, (_, k) =>
    Math.exp(clamp(raw[2 * BINS + k], Math.log(1000))),
  );
  return { x: cumulative(sizes(0)), y: cumulative(sizes(BINS)), slope: [1, ...inner, 1] };
}

/** z and log dz/dx by the paper's equations 4 and 5. */
function reference(x: number, raw: ArrayLike<number>): [number, number] {
  if (Math.abs(x) >= BOUND) return [x, 0];
  const { x: xs, y: ys, slope } = knots(raw);
  let k = 0;
  while (k < BINS - 1 && x >= xs[k + 1]) k++;
  const s = (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k]);
  const t = (x - xs[k]) / (xs[k + 1] - xs[k]);
  const denominator = s + (slope[k + 1] + slope[k] - 2 * s) * t * (1 - t);
  const z = ys[k] + ((ys[k + 1] - ys[k]) * (s * t * t + slope[k] * t * (1 - t))) / denominator;
  const numerator = s * s * (slope[k + 1] * t * t + 2 * s * t * (1 - t) + slope[k] * (1 - t) ** 2);
  return [z, Math.log(numerator / denominator ** 2)];
}

const evaluate = { float32: spline("float32"), float64: spline("float64") };
const zeros = new Float64Array(P);
const trained = [1, 2, 3].map((seed) => new Random(seed).normal(new Float64Array(P)).map((v) => 1.5 * v));
const points = Array.from({ length: 401 }, (_, i) => (i - 200) * 0.02);

describe("rational-quadratic spline", () => {
  test("has P = 3 K - 1 parameters per feature, in groups of widths, heights and slopes", () => {
    expect(transform.parameters).toBe(P);
    const block = (size: number) => [...new Array(size).fill(0), ...new Array(size).fill(1)];
    expect(transform.columns(2)).toEqual([...block(BINS), ...block(BINS), ...block(BINS - 1)]);
  });

  test("equals the paper's equations", async () => {
    for (const raw of trained) {
      const out = await evaluate.float64(points, raw);
      expectClose(
        out.latent,
        points.map((x) => reference(x, raw)[0]),
        1e-12,
        "z",
      );
      expectClose(
        out.latentLog,
        points.map((x) => reference(x, raw)[1]),
        1e-10,
        "log-derivative",
      );
      const back = await evaluate.float64([...out.latent], raw);
      expectClose(back.data, points, 1e-11, "x");
      expectClose(
        back.dataLog.map((v) => -v),
        out.latentLog,
        1e-9,
        "log-derivative of the inverse",
      );
    }
  });

  test("starts as the identity with slope 1 everywhere, including the boundary", async () => {
    const near = [-1, 1].flatMap((sign) =>
      [1, 1 - 1e-15, 1 - 1e-9, 1 - 1e-3, 1 + 1e-15, 1 + 1e-9].map((f) => sign * BOUND * f),
    );
    const out = await evaluate.float64([...points, ...near], zeros);
    expectClose(out.latent, [...points, ...near], 1e-12, "z");
    for (const log of out.latentLog) expect(Math.abs(log)).toBeLessThan(1e-12);
    for (const slope of out.slope) expect(Math.abs(slope - 1)).toBeLessThan(1e-12);
  });

  test("is continuous at the boundary with slope 1, and exactly the identity outside", async () => {
    for (const raw of trained) {
      const inside = [-1, 1].map((sign) => sign * nextFloat(BOUND, -1, "float64"));
      const outside = [-1, 1].flatMap((sign) =>
        [BOUND, nextFloat(BOUND, 1, "float64"), 10, 1e30].map((x) => sign * x),
      );
      const at = await evaluate.float64(inside, raw);
      expectClose(at.latent, inside, 1e-12, "z");
      expectClose(at.slope, [1, 1], 1e-9, "slope");
      expectClose(at.latentLog, [0, 0], 1e-9, "log-derivative");
      const beyond = await evaluate.float64(outside, raw);
      expect([...beyond.latent]).toEqual(outside);
      expect([...beyond.data]).toEqual(outside);
      expect([...beyond.slope]).toEqual(outside.map(() => 1));
      expect([...beyond.latentLog, ...beyond.dataLog].every((v) => v === 0)).toBe(true);
      expect([...beyond.byRaw, ...beyond.dataByRaw, ...beyond.curvature].every((v) => v === 0)).toBe(true);
    }
  });

  test("has its values and slopes at the knots, from both sides", async () => {
    for (const raw of trained) {
      const { x, y, slope } = knots(raw);
      for (const direction of [-1, 1] as const) {
        const nearKnots = x.slice(1, -1).map((v) => v + direction * 1e-9);
        const out = await evaluate.float64(nearKnots, raw);
        expectClose(out.latent, y.slice(1, -1), 1e-6, "z");
        expectClose(out.latentLog, slope.slice(1, -1).map(Math.log), 1e-5, "log-slope");
        expectClose(out.slope, slope.slice(1, -1), 1e-5, "slope");
      }
      const at = await evaluate.float64(x, raw);
      expectClose(at.latent, y, 1e-12, "z at a knot");
      expect((await evaluate.float64(y, raw)).data.every((v, i) => Math.abs(v - x[i]) < 1e-12)).toBe(true);
    }
  });

  test("is strictly increasing", async () => {
    for (const raw of trained) {
      const { latent, data } = await evaluate.float64(points, raw);
      for (const values of [latent, data]) {
        for (let i = 1; i < points.length; i++) expect(values[i]).toBeGreaterThan(values[i - 1]);
      }
    }
  });

  test.each(["float32", "float64"] as const)(
    "is finite in %s for every input and parameter",
    async (precision) => {
      const extremes = extremeValues(precision);
      const run = evaluate[precision];
      for (const value of [0, 1e-30, -1e-30, 3, -3, 1e30, -1e30]) {
        const raws = [
          new Float64Array(P).fill(value),
          new Float64Array(P).map((_, i) => (i % 2 === 0 ? value : -value)),
          new Float64Array(P).map((_, i) =>
            i === 3 || i === BINS + 1 || i === 2 * BINS + 2 ? value : -value,
          ),
        ];
        for (const raw of raws) {
          const edges = knots(raw);
          const inputs = [...extremes, ...points, ...edges.x, ...edges.y];
          const out = await run(inputs, raw);
          for (const [name, values] of Object.entries(out)) {
            const index = values.findIndex((v) => !Number.isFinite(v));
            const input = inputs[Math.floor((index * inputs.length) / values.length)];
            expect(index, `${name} at ${input} with parameters ${value}`).toBe(-1);
          }
          expect(allFinite(out.latent)).toBe(true);
          if (precision === "float64") for (const slope of out.slope) expect(slope).toBeGreaterThan(0);
        }
      }
    },
  );

  test("is finite in float32, and close to float64, among bins of very different sizes", async () => {
    const rows = 4000;
    const random = new Random(5);
    const x = Float32Array.from(random.uniform(new Float64Array(rows)), (u) => BOUND * (2 * u - 1));
    const raw = Float32Array.from(random.normal(new Float64Array(rows * P)), (v) => 30 * v);
    const run = (precision: Precision) =>
      compile(
        (x, raw) => {
          const { value, logDerivative } = transform.toLatent(x, raw);
          const data = transform.toData(x, raw);
          const total = value
            .sum()
            .add(logDerivative.sum())
            .add(data.value.sum())
            .add(data.logDerivative.sum());
          const [byX, byRaw] = grad(total, [x, raw]);
          return { value, logDerivative, data: data.value, dataLog: data.logDerivative, byX, byRaw };
        },
        [
          ["N", 1],
          ["N", P],
        ],
        { precision },
      )(x, raw);
    const [single, double] = [await run("float32"), await run("float64")];
    for (const values of Object.values(single)) expect(allFinite(values)).toBe(true);
    expectClose(single.value, double.value, 0.01, "z");
    expectClose(single.data, double.data, 0.01, "x");
    expectClose(single.logDerivative, double.logDerivative, 0.1, "log-derivative");
    expectClose(single.dataLog, double.dataLog, 0.1, "log-derivative of the inverse");
  });
});
