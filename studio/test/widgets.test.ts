import { describe, expect, test } from "vitest";
import { Elementwise, Planar, Radial } from "../../src/bijections/index.ts";
import { compile, Random } from "../../src/index.ts";
import { parametersOf } from "../../src/nn/index.ts";
import { PassCounter } from "../app/engine/passes.ts";
import { WASM } from "../app/engine/wasm.ts";
import { usedDirection } from "../app/formula/planar.ts";
import { rawSlope } from "../app/formula/slope.ts";
import { type RawSpline, splineMap } from "../app/formula/spline.ts";
import { bestApproximation, logEvidence, lowerBound, posterior } from "../app/read/widgets/bound.ts";
import {
  bestGaussian,
  clusterDensity,
  gaussian,
  integral,
  meanLogDensity,
} from "../app/read/widgets/gaussian.ts";
import { dependencies, drawMasks } from "../app/read/widgets/masks.ts";
import { areaPath, densityOf, inverseOf, mapOf } from "../app/read/widgets/oneDimension.ts";
import {
  BOUND,
  imageDensity,
  type Knot,
  moveKnot,
  setTangent,
  splineAt,
  splineInverse,
} from "../app/read/widgets/spline.ts";

const set = (module: object, values: Readonly<Record<string, readonly number[]>>) => {
  for (const [name, parameter] of parametersOf(module)) {
    const numbers = values[name.replace("parameters.base.", "")];
    if (numbers) parameter.take(Float64Array.from(numbers));
  }
};

test.each([
  [
    [1.6, 0.8],
    [0.4, 1.4],
  ],
  [
    [-1, -2],
    [0.5, 1],
  ],
] as const)("û of u = %j and w = %j is the direction of a planar layer", async (u, w) => {
  const layer = new Planar({ features: 2 }, new Random(0));
  set(layer, { u, w, b: [0.3] });
  const z = [0.7, -0.2] as const;
  const x = await compile((rows) => layer.forward(rows).value, [["N", 2]], { precision: "float64" })(z);
  const h = Math.tanh(w[0] * z[0] + w[1] * z[1] + 0.3);
  usedDirection(u, w).forEach((direction, i) => {
    expect(x[i]).toBeCloseTo(z[i]! + direction * h, 10);
  });
});

test.each([0.01, 1, 3.5])(
  "a radial layer multiplies distances at its center by the chosen slope %s",
  async (slope) => {
    const layer = new Radial({ features: 2 }, new Random(0));
    set(layer, { center: [0, 0], logAlpha: [0], slope: [rawSlope(slope)] });
    const x = await compile((rows) => layer.forward(rows).value, [["N", 2]], { precision: "float64" })([
      1e-9, 0,
    ]);
    expect(x[0]! / 1e-9).toBeCloseTo(slope, 6);
  },
);

describe("the passes of an autoregressive layer", () => {
  const row = [0.8, -0.4, 1.3, -1.1];

  test("compute both directions of the layer: one pass all coordinates, or each pass one more", async () => {
    const counter = new PassCounter();
    const direction = (name: "forward" | "inverse") =>
      compile((rows) => counter.layer[name](rows).value, [["N", 4]], WASM)(row);
    const all = await counter.allAtOnce(row);
    expect(all).toHaveLength(1);
    const each = await counter.oneByOne(row);
    expect(each.map((known) => known.length)).toEqual([1, 2, 3, 4]);
    const close = (values: ArrayLike<number>) => Array.from(values, (value) => expect.closeTo(value, 5));
    expect(all[0]).toEqual(close(await direction("inverse")));
    expect(each[3]).toEqual(close(await direction("forward")));
    // Later passes do not change the coordinates that are known.
    for (const known of each) expect(each[3]!.slice(0, known.length)).toEqual(known);
    expect(Math.max(...all[0]!.map((value, i) => Math.abs(value - row[i]!)))).toBeGreaterThan(0.1);
  });
});

describe("the map of one dimension", () => {
  const shape = { scale: 0.7, jump: 1.5 };

  test("is inverted", () => {
    for (const z of [-3, -0.1, 0, 2.5]) expect(inverseOf(shape, mapOf(shape, z))).toBeCloseTo(z, 10);
  });

  test("maps the normal density to a density with the integral 1", () => {
    const [low, high, n] = [-8, 8, 4000];
    let sum = 0;
    for (let k = 0; k < n; k++)
      sum += densityOf(shape, low + ((high - low) * (k + 0.5)) / n) * ((high - low) / n);
    expect(sum).toBeCloseTo(1, 6);
    expect(
      areaPath(
        () => 1,
        0,
        1,
        (value, p) => [value, p],
      ),
    ).toMatch(/^M0\.000 0\.000L.*1\.000 0\.000Z$/);
  });
});

describe("masks of MADE", () => {
  test("let an output depend on inputs before it in the ordering only, and on all of them with enough units", () => {
    const random = new Random(4);
    const numbers = random.uniform(new Float64Array(4000));
    let used = 0;
    const draws = Array.from({ length: 20 }, () => drawMasks(4, [24, 24], () => numbers[used++]!));
    for (const masks of draws) {
      const [order] = masks.degrees;
      expect(order!.toSorted()).toEqual([1, 2, 3, 4]);
      for (const output of [0, 1, 2, 3]) {
        const before = order!.flatMap((degree, input) => (degree < order![output]! ? [input] : []));
        expect(dependencies(masks, output)).toEqual(before);
      }
    }
    expect(new Set(draws.map(({ degrees }) => degrees[0]!.join())).size).toBeGreaterThan(5);
  });
});

describe("a normal distribution of data in two clusters", () => {
  test("has the mean log-density of the integral, which is largest at the mean and the standard deviation of the data", () => {
    const expected = integral((x) => clusterDensity(x) * Math.log(gaussian(x, 0.7, 1.2)), -8, 8);
    expect(meanLogDensity(0.7, 1.2)).toBeCloseTo(expected, 6);
    const { mean, deviation } = bestGaussian;
    const best = meanLogDensity(mean, deviation);
    for (const step of [-0.1, 0.1]) {
      expect(meanLogDensity(mean + step, deviation)).toBeLessThan(best);
      expect(meanLogDensity(mean, deviation + step)).toBeLessThan(best);
    }
  });
});

describe("the evidence lower bound of a model with one latent variable", () => {
  const linear = { curvature: 0, x: 1 };
  /** Of x = z + noise of variance 1/4. */
  const exact = { mean: 0.8, deviation: Math.sqrt(0.2) };

  test("is exact for a linear decoder, whose posterior is normal", () => {
    expect(logEvidence(linear)).toBeCloseTo(Math.log(gaussian(1, 0, Math.sqrt(1.25))), 8);
    expect(posterior(linear)(0.5)).toBeCloseTo(gaussian(0.5, exact.mean, exact.deviation), 8);
    expect(lowerBound(linear, exact)).toBeCloseTo(logEvidence(linear), 8);
    const best = bestApproximation(linear);
    expect(lowerBound(linear, best)).toBeGreaterThan(logEvidence(linear) - 1e-3);
  });

  test("is the divergence from the posterior below the evidence", () => {
    const model = { curvature: 0.6, x: 1 };
    const q = { mean: 0.5, deviation: 0.4 };
    const density = posterior(model);
    expect(integral(density, -6, 6)).toBeCloseTo(1, 8);
    const divergence = integral(
      (z) => {
        const p = gaussian(z, q.mean, q.deviation);
        return p * Math.log(p / density(z));
      },
      -2.5,
      3.5,
    );
    expect(logEvidence(model) - lowerBound(model, q)).toBeCloseTo(divergence, 5);
    expect(logEvidence(model) - lowerBound(model, bestApproximation(model))).toBeGreaterThan(0.05);
  });
});

describe("a spline with knots that can be moved", () => {
  const knots: readonly Knot[] = [
    { x: -1.2, y: -0.4, slope: 0.5 },
    { x: 0.3, y: 0.9, slope: 3 },
    { x: 1.1, y: 2.2, slope: 0.2 },
  ];

  test("passes through them with their derivatives, and is the identity outside", () => {
    for (const { x, y, slope } of knots) {
      const at = splineAt(knots, x);
      expect(at.y).toBeCloseTo(y, 12);
      expect(at.slope).toBeCloseTo(slope, 12);
    }
    expect(splineAt(knots, 3.4)).toEqual({ y: 3.4, slope: 1 });
    expect(splineInverse(knots, -3.4)).toBe(-3.4);
  });

  test("is inverted, and its derivative is that of its values", () => {
    for (let x = -2.95; x < 3; x += 0.1) {
      expect(splineInverse(knots, splineAt(knots, x).y)).toBeCloseTo(x, 10);
      const h = 1e-6;
      const difference = (splineAt(knots, x + h).y - splineAt(knots, x - h).y) / (2 * h);
      expect(splineAt(knots, x).slope).toBeCloseTo(difference, 5);
    }
  });

  test("has the values of the spline of an elementwise layer", async () => {
    const layer = new Elementwise({
      features: 1,
      transform: { type: "rationalQuadraticSpline", bins: 4, bound: BOUND },
    });
    const random = new Random(3);
    for (const [name, parameter] of parametersOf(layer))
      parameter.take(random.split(name).normal(new Float64Array(parameter.numbers.length)));
    const toLatent = compile(
      (x) => {
        const { value, logDet } = layer.inverse(x);
        return { value, logDet };
      },
      [["N", 1]],
      { precision: "float64" },
    );
    const raw = [...parametersOf(layer).values()].flatMap(({ numbers }) => [...numbers]);
    const found = knotsOf({ widths: raw.slice(0, 4), heights: raw.slice(4, 8), derivatives: raw.slice(8) });
    const xs = Array.from({ length: 59 }, (_, k) => -2.9 + 0.1 * k);
    const { value, logDet } = await toLatent(xs);
    xs.forEach((x, i) => {
      const at = splineAt(found, x);
      expect(at.y).toBeCloseTo(value[i]!, 8);
      expect(Math.log(at.slope)).toBeCloseTo(logDet[i]!, 8);
    });
  });

  test("maps the normal density to a density with the integral 1", () => {
    expect(integral((y) => imageDensity(knots, y), -8, 8, 40_000)).toBeCloseTo(1, 5);
  });

  test("stays increasing wherever its knots and tangents are moved", () => {
    let moved = moveKnot(knots, 1, [5, -5]);
    expect(moved[1]).toEqual({ x: expect.closeTo(0.95), y: expect.closeTo(-0.25), slope: 3 });
    moved = moveKnot(moved, 0, [-9, 9]);
    expect(moved[0]).toEqual({ x: expect.closeTo(-2.85), y: expect.closeTo(-0.4), slope: 0.5 });
    moved = setTangent(moved, 2, [0, 0]);
    moved = setTangent(moved, 1, [2, -4]);
    const slopes = Array.from({ length: 601 }, (_, k) => splineAt(moved, -3 + 0.01 * k).slope);
    expect(Math.min(...slopes)).toBeGreaterThan(0);
  });
});

/** The inner knots of the spline with these outputs of a network: the right ends of all bins but the last. */
function knotsOf(raw: RawSpline): Knot[] {
  let x = 1e-6 - BOUND;
  return raw.derivatives.map(() => {
    const map = splineMap(raw, BOUND, x);
    if (map.type !== "spline") throw new Error(`The spline has no bin at ${x}.`);
    x = map.bin.x[1];
    return { x, y: map.bin.z[1], slope: map.bin.derivatives[1] };
  });
}
