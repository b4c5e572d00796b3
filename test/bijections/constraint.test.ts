import { describe, expect, test } from "vitest";
import {
  Autoregressive,
  type Bijection,
  Exp,
  Ordered,
  Power,
  Sigmoid,
  SinhArcsinh,
  Softplus,
  Softsign,
  StickBreaking,
  Tanh,
} from "../../src/bijections/index.ts";
import { DiagonalNormal, Logistic, StandardNormal, Uniform } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { integral, intervalRule, lineRule, square } from "../mathematics/quadrature.ts";
import { expectClose } from "./invariants.ts";

/** Both directions of a bijection, and the gradient of the sum of latent values and log-determinants of the inverse. */
function evaluate(bijection: Bijection, rows: ArrayLike<number>, precision: Precision = "float64") {
  return compile(
    (u) => {
      const [data, latent] = [bijection.forward(u), bijection.inverse(u)];
      const total = latent.value.sum().add(latent.logDet.broadcastTo(["N"]).sum());
      return {
        x: data.value,
        dataLogDet: data.logDet.broadcastTo(["N"]),
        z: latent.value,
        logDet: latent.logDet.broadcastTo(["N"]),
        gradient: grad(total, [u])[0],
      };
    },
    [["N", bijection.features]],
    { precision },
  )(rows);
}

const logit = (u: number) => Math.log(u / (1 - u));
const elementwise: [string, Bijection, (z: number) => number, (z: number) => number, number[]][] = [
  ["exp", new Exp({ features: 1 }), Math.exp, (z) => z, [0, -1e-30, -2, -1e30]],
  [
    "softplus",
    new Softplus({ features: 1 }),
    (z) => Math.log1p(Math.exp(z)),
    (z) => -Math.log1p(Math.exp(-z)),
    [0, -1e-30, -2, -1e30],
  ],
  [
    "sigmoid",
    new Sigmoid({ features: 1, low: -2, high: 3 }),
    (z) => -2 + 5 / (1 + Math.exp(-z)),
    (z) => Math.log(5) - z - 2 * Math.log1p(Math.exp(-z)),
    [-2, 3, -2.5, 4, 1e30, -1e30],
  ],
  ["tanh", new Tanh({ features: 1 }), Math.tanh, (z) => Math.log(1 - Math.tanh(z) ** 2), [1, -1, 1.5, -1e30]],
  [
    "softsign",
    new Softsign({ features: 1 }),
    (z) => z / (1 + Math.abs(z)),
    (z) => -2 * Math.log(1 + Math.abs(z)),
    [1, -1, 1.5, -1e30],
  ],
];

describe.each(elementwise)("%s", (_, bijection, formula, logDerivative, outside) => {
  const z = [-6, -2.5, -1, -1e-9, 0, 1e-9, 0.7, 2, 6];

  test("equals its formula in both directions", async () => {
    const forward = await evaluate(bijection, z);
    expectClose(forward.x, z.map(formula), 1e-14, "x");
    expectClose(forward.dataLogDet, z.map(logDerivative), 1e-10, "log-det");
    const back = await evaluate(bijection, forward.x);
    expectClose(back.z, z, 1e-10, "z");
    expectClose(
      back.logDet,
      z.map((v) => -logDerivative(v)),
      1e-9,
      "log-det of the inverse",
    );
  });

  test.each(["float32", "float64"] as const)(
    "has log-determinant -Infinity with gradient 0 outside its support, and NaN at NaN, in %s",
    async (precision) => {
      const { logDet, gradient, z } = await evaluate(bijection, outside, precision);
      expect([...logDet]).toEqual(outside.map(() => -Infinity));
      expect([...gradient].every((v) => v === 0)).toBe(true);
      expect([...z].every(Number.isFinite)).toBe(true);
      const ofNaN = await evaluate(bijection, [Number.NaN], precision);
      expect([ofNaN.z[0], ofNaN.x[0]]).toEqual([Number.NaN, Number.NaN]);
    },
  );

  test("gives a density that integrates to 1", async () => {
    const flow = new Flow(new StandardNormal({ features: 1 }), bijection);
    const { nodes, weights } = lineRule(4001, 8);
    const x = nodes.map(formula);
    const log = await flow.logProb(x, undefined, { precision: "float64" });
    // Integration over x = f(z): the weights of the nodes z, times dx/dz.
    const weightsOfX = weights.map((w, i) => w * Math.exp(logDerivative(nodes[i])));
    expect(Math.abs(integral(log, weightsOfX) - 1)).toBeLessThan(1e-8);
  });
});

describe("the log-density of a row outside of the support", () => {
  const spline = { type: "rationalQuadraticSpline", bins: 4, bound: 1, tails: "none" } as const;
  const network = { hidden: [4] };
  const layer = new Autoregressive({ order: [0, 1], transform: spline, network }, new Random(0));
  const normal = (features: number) => new DiagonalNormal({ features });
  const cases: [string, Flow, number[]][] = [
    ["exp", new Flow(normal(2), new Exp({ features: 2 })), [-1, 2, 2, 0]],
    ["softplus", new Flow(normal(2), new Softplus({ features: 2 })), [-1, 2, 2, 0]],
    ["power", new Flow(normal(2), new Power({ features: 2, exponent: 3 })), [-1, 2, 2, 0]],
    ["sigmoid", new Flow(normal(2), new Sigmoid({ features: 2 })), [-1, 0.2, 0.2, 1]],
    ["tanh", new Flow(normal(2), new Tanh({ features: 2 })), [-1, 0.2, 0.2, 3]],
    ["softsign", new Flow(normal(2), new Softsign({ features: 2 })), [-1, 0.2, 0.2, 3]],
    ["stickBreaking", new Flow(normal(2), new StickBreaking({ features: 2 })), [-1, 0.2, 0.9, 0.2]],
    ["ordered", new Flow(normal(3), new Ordered({ features: 3 })), [1, 3, 2, 1, 1, 5]],
    ["a spline", new Flow(new Uniform({ features: 2, low: -1, high: 1 }), layer), [1.5, 0.2, 0.2, -3]],
  ];

  test.each(cases)("of %s is -Infinity, and all its gradients are 0", async (_, flow, rows) => {
    const parameters = [...trainableParameters(flow).values()];
    const [logProb, ...gradients] = await compile(
      (x) => {
        const logProb = flow.logProb(x);
        return [logProb, ...grad(logProb.sum(), [x, ...parameters])];
      },
      [["N", flow.features]],
    )(rows);
    expect([...logProb]).toEqual([-Infinity, -Infinity]);
    expect(parameters.length).toBeGreaterThan(0);
    for (const gradient of gradients) expect([...gradient].every((v) => v === 0)).toBe(true);
  });
});

test("Exp and Softplus return positive finite numbers for extreme latent values", async () => {
  for (const bijection of [new Exp({ features: 1 }), new Softplus({ features: 1 })]) {
    for (const precision of ["float32", "float64"] as const) {
      const { x } = await evaluate(bijection, [-1e30, -200, -80, 80, 200], precision);
      for (const v of x) expect(v > 0 && Number.isFinite(v)).toBe(true);
      const { logDet } = await evaluate(bijection, x, precision);
      expect([...logDet].every(Number.isFinite)).toBe(true);
    }
  }
});

test("a sigmoid makes a logistic variable uniform, and keeps full relative precision near a bound at 0", async () => {
  const flow = new Flow(new Logistic({ features: 1 }), new Sigmoid({ features: 1, low: 2, high: 6 }));
  const density = await flow.logProb([2.001, 3, 5.9], undefined, { precision: "float64" });
  expectClose(density, new Array(3).fill(-Math.log(4)), 1e-12, "log-density");
  const below = new Sigmoid({ features: 1, low: -1, high: 0 });
  const { x } = await evaluate(below, [30, 60], "float32");
  expectClose([x[0] / -Math.exp(-30), x[1] / -Math.exp(-60)], [1, 1], 1e-6, "x");
  expect(() => new Sigmoid({ features: 1, low: 1, high: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a sigmoid is not valid at high: expected more than low, received 1.]`,
  );
});

test("a power maps positive numbers onto positive numbers", async () => {
  const z = [1e-6, 0.3, 1, 7];
  for (const exponent of [0.5, 1, 3]) {
    const power = new Power({ features: 1, exponent });
    const forward = await evaluate(power, z);
    expectClose(
      forward.x,
      z.map((v) => v ** exponent),
      1e-13,
      "x",
    );
    expectClose(
      forward.dataLogDet,
      z.map((v) => Math.log(exponent * v ** (exponent - 1))),
      1e-12,
      "log-det",
    );
    expectClose((await evaluate(power, forward.x)).z, z, 1e-12, "z");
    const outside = await evaluate(power, [0, -1]);
    expect([...outside.logDet, ...outside.dataLogDet]).toEqual(new Array(4).fill(-Infinity));
    expect([...outside.gradient]).toEqual([0, 0]);
  }
});

describe("SinhArcsinh", () => {
  const skewed = (skewness: number, logTailWeight: number) => {
    const bijection = new SinhArcsinh({ features: 1 });
    bijection.skewness.value = Float64Array.of(skewness);
    // The inverse of softClamp, so that the clamped value is `logTailWeight`.
    bijection.logTailWeight.value = Float64Array.of(
      logTailWeight / (1 - Math.abs(logTailWeight) / Math.log(10)),
    );
    return bijection;
  };

  test("has the density of Jones and Pewsey (2009)", async () => {
    const [epsilon, delta] = [0.6, 0.8];
    const flow = new Flow(new StandardNormal({ features: 1 }), skewed(epsilon, -Math.log(delta)));
    const x = [-40, -3, -0.2, 0, 0.5, 2, 30];
    const log = await flow.logProb(x, undefined, { precision: "float64" });
    // z = sinh(delta arcsinh x - epsilon), equation 2 of Jones and Pewsey.
    const expected = x.map((v) => {
      const s = Math.sinh(delta * Math.asinh(v) - epsilon);
      return Math.log((delta * Math.sqrt(1 + s * s)) / Math.sqrt(2 * Math.PI * (1 + v * v))) - (s * s) / 2;
    });
    expectClose(log, expected, 1e-12, "log-density");
    const { nodes, weights } = lineRule(4001, 1e6);
    const density = await flow.logProb(nodes, undefined, { precision: "float64" });
    expect(Math.abs(integral(density, weights) - 1)).toBeLessThan(1e-8);
  });

  test("is the identity by default, accurately near 0 and for large numbers", async () => {
    const identity = new SinhArcsinh({ features: 1 });
    for (const precision of ["float32", "float64"] as const) {
      const eps = precision === "float32" ? 2e-5 : 1e-13;
      const x = [0, 1e-20, -1e-6, 1e-3, -5, 1e5, 9e8, 1.1e9, -1e25];
      const out = await evaluate(identity, x, precision);
      for (const [i, v] of x.entries())
        if (v !== 0) expect(Math.abs(out.x[i] / v - 1), `${v}`).toBeLessThan(eps);
      expectClose(out.gradient, new Array(x.length).fill(1), 1e-4, "gradient");
    }
  });

  test("skews, and makes tails heavier or lighter", async () => {
    const [right, heavy, light] = await Promise.all(
      [skewed(1, 0), skewed(0, Math.log(2)), skewed(0, -Math.log(2))].map((b) => evaluate(b, [-3, 0, 3])),
    );
    expect(right.x[1]).toBeCloseTo(Math.sinh(1), 12);
    expect(heavy.x[2]).toBeCloseTo(Math.sinh(2 * Math.asinh(3)), 10);
    expect(light.x[2]).toBeCloseTo(Math.sinh(Math.asinh(3) / 2), 12);
    expect(heavy.x[0]).toBeCloseTo(-heavy.x[2], 10);
  });
});

describe("StickBreaking", () => {
  test("maps 0 to equal parts, and inverts to logits of the fractions of the remaining stick", async () => {
    const { x, dataLogDet } = await evaluate(new StickBreaking({ features: 3 }), [0, 0, 0]);
    expectClose(x, [0.25, 0.25, 0.25], 1e-14, "x");
    // dx_k/dz_k = x_k (1 - fraction): 1/4 * 3/4, 1/4 * 2/3, 1/4 * 1/2
    expect(dataLogDet[0]).toBeCloseTo(Math.log(1 / 256), 12);
    const { z } = await evaluate(new StickBreaking({ features: 2 }), [0.2, 0.3]);
    expectClose(z, [logit(0.2) + Math.log(2), logit(0.3 / 0.8)], 1e-14, "z");
  });

  test("has log-determinant -Infinity outside the simplex, with gradient 0 for the whole row", async () => {
    const rows = [0.5, 0.5, 0.7, 0.4, 0, 0.3, 0.3, -0.1, 1e30, 1, 0.2, 0.2];
    for (const precision of ["float32", "float64"] as const) {
      const { logDet, gradient, z } = await evaluate(new StickBreaking({ features: 2 }), rows, precision);
      expect([...logDet.slice(0, 5)]).toEqual(new Array(5).fill(-Infinity));
      expect([...gradient.slice(0, 10)].every((v) => v === 0)).toBe(true);
      expect(Number.isFinite(logDet[5]) && [...z].every(Number.isFinite)).toBe(true);
    }
  });

  test("gives a density on the triangle that integrates to 1", async () => {
    const flow = new Flow(new StandardNormal({ features: 2 }), new StickBreaking({ features: 2 }));
    const { rows, weights } = square(intervalRule(0, 1, 401));
    const log = await flow.logProb(rows, undefined, { precision: "float64" });
    expect(Math.abs(integral(log, weights) - 1)).toBeLessThan(1e-4);
  });
});

test("Ordered adds gaps of exp(z), and rows that do not increase have log-determinant -Infinity", async () => {
  const ordered = new Ordered({ features: 3 });
  const { x, dataLogDet } = await evaluate(ordered, [-1, 0, Math.log(2)]);
  expectClose(x, [-1, 0, 2], 1e-14, "x");
  expect(dataLogDet[0]).toBeCloseTo(Math.log(2), 13);
  const { z, logDet, gradient } = await evaluate(ordered, [-1, 0, 2, 0, 0, 1, 3, 4, 3.5]);
  expectClose(z.slice(0, 3), [-1, 0, Math.log(2)], 1e-14, "z");
  expect([...logDet.slice(1)]).toEqual([-Infinity, -Infinity]);
  expect([...gradient].every(Number.isFinite)).toBe(true);
});
