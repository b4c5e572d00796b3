import { describe, expect, test } from "vitest";
import { concat, constant, grad, integrate, Parameter, type Tensor } from "../../src/graph/index.ts";
import { rungeKuttaStep } from "../../src/graph/numerics/integrate.ts";
import { dormandPrince } from "../../src/graph/numerics/tableau.ts";
import { compile, type Floats } from "../../src/runtime/index.ts";

/** y' = -2 t y^2, y(0) = 1: y = 1 / (1 + t^2). */
const rational = (t: Tensor, y: Tensor) => y.square().mul(t).mul(-2);
/** A rotation by 2 pi per 2 pi of time. */
const rotation = (_t: Tensor, y: Tensor) => y.matmul(constant([0, 1, -1, 0], [2, 2]));

describe("the method of Dormand and Prince", () => {
  test("satisfies the order conditions of its tableau", () => {
    const { nodes, stages, weights, errorWeights } = dormandPrince;
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    stages.forEach((row, i) => {
      expect(sum(row)).toBeCloseTo(nodes[i], 14);
    });
    for (const power of [0, 1, 2, 3, 4])
      expect(sum(weights.map((b, i) => b * nodes[i] ** power))).toBeCloseTo(1 / (power + 1), 14);
    for (const power of [0, 1, 2, 3])
      expect(sum(errorWeights.map((e, i) => e * nodes[i] ** power))).toBeCloseTo(0, 14);
    expect(stages[6]).toEqual(weights.slice(0, 6));
  });

  test("has its orders: halving the step divides the error by 2^5, and the error estimate of a step by 2^5", async () => {
    const error = async (steps: number) => {
      const run = compile(
        (t, y, h) => {
          const { value, error } = rungeKuttaStep(dormandPrince, rational, t, y, h);
          return { value, error };
        },
        [
          ["N", 1],
          ["N", 1],
          ["N", 1],
        ],
        { precision: "float64" },
      );
      let y: Floats = new Float64Array([1]);
      let estimate = 0;
      for (let i = 0; i < steps; i++) {
        const result: Record<string, Floats> = await run([i / steps], y, [1 / steps]);
        y = result.value;
        if (i === 0) estimate = Math.abs(result.error[0]);
      }
      await run.release();
      return { global: Math.abs(y[0] - 0.5), estimate };
    };
    const [coarse, fine] = [await error(16), await error(32)];
    expect(Math.log2(coarse.global / fine.global)).toBeGreaterThan(dormandPrince.order - 0.2);
    // The embedded method is of order 4, and the error of one step of order p is of order p + 1.
    expect(Math.log2(coarse.estimate / fine.estimate)).toBeGreaterThan(4.8);
  });
});

describe("integrate", () => {
  test.each([
    ["float64", undefined, 1e-10],
    ["float64", 1e-6, 1e-4],
    ["float32", undefined, 2e-5],
  ] as const)("follows known solutions in %s with a tolerance of %s", async (precision, tolerance, error) => {
    const run = compile(
      (y, z) => ({
        rationalEnd: integrate(rational, y, { from: 0, to: 3, tolerance }),
        fullRotation: integrate(rotation, z, { from: 0, to: 2 * Math.PI, tolerance }),
        backward: integrate(rotation, z, { from: Math.PI / 2, to: 0, tolerance }),
      }),
      [
        ["N", 1],
        ["N", 2],
      ],
      { precision },
    );
    const { rationalEnd, fullRotation, backward } = await run([1, 1], [1, 0, 3, 4]);
    const close = (actual: Floats, expected: readonly number[]) =>
      expected.forEach((v, i) => {
        expect(Math.abs(actual[i] - v)).toBeLessThan(error * Math.max(1, Math.abs(v)));
      });
    close(rationalEnd, [0.1, 0.1]);
    close(fullRotation, [1, 0, 3, 4]);
    close(backward, [0, -1, 4, -3]);
  });

  test("chooses the steps of each row independently", async () => {
    // A fast row and a slow one.
    const field = (_t: Tensor, y: Tensor) => y.slice(1, 0, 1).mul(y.mul(0).add(1)).mul(y).sin();
    const run = compile((y) => integrate(field, y, { from: 0, to: 1 }), [["N", 2]]);
    const rows = [0.1, 0.2, 30, 2, -4, 1];
    const joint = await run(rows);
    for (let r = 0; r < 3; r++) {
      const single = await run(rows.slice(2 * r, 2 * r + 2));
      expect([...single]).toEqual([...joint.slice(2 * r, 2 * r + 2)]);
    }
  });

  test("returns NaN only in the row whose solution does not exist", async () => {
    // y' = y^2 from 2 is at infinity at t = 1/2.
    const run = compile((y) => integrate((_t, y) => y.square(), y, { from: 0, to: 1 }), [["N", 1]]);
    const [singular, finite, unknown] = await run([2, 0.5, Number.NaN]);
    expect(singular).toBeNaN();
    expect(finite).toBeCloseTo(1, 4);
    expect(unknown).toBeNaN();
  });

  test.each(["float32", "float64"] as const)(
    "has finite gradients of parameters in %s if a rejected step overflows in some rows",
    async (precision) => {
      // y' = theta y^3 has y(1) = (y(0)^-2 - 2 theta)^(-1/2), so dy(1)/dtheta = y(1)^3. Long steps from y(1) = 20 backward overflow.
      const ends = [0.5, 20, 3];
      const run = compile(
        (y, theta) => {
          const end = integrate((_t, y) => y.square().mul(y).mul(theta), y, { from: 0, to: 1 });
          return { end, gradient: grad(end.sum(), [theta])[0] };
        },
        { y: ["N", 1], theta: [] },
        { precision },
      );
      const { end, gradient } = await run(
        ends.map((y) => (y ** -2 + 2) ** -0.5),
        [1],
      );
      const tolerance = precision === "float32" ? 2e-3 : 1e-9;
      ends.forEach((y, i) => {
        expect(Math.abs(end[i] / y - 1)).toBeLessThan(tolerance);
      });
      const expected = ends.reduce((sum, y) => sum + y ** 3, 0);
      expect(Math.abs(gradient[0] / expected - 1)).toBeLessThan(tolerance);
      await run.release();
    },
  );

  test("has NaN gradients of parameters if the backward integration of a row does not reach the start", async () => {
    // y' = -k y^3 forgets y(0). With the error of y(1), the solution backward is at infinity shortly before it reaches the start.
    const run = compile(
      (y, k) => {
        const options = { from: 0, to: 1, tolerance: 1e-3 };
        const end = integrate((_t, y) => y.square().mul(y).mul(k).neg(), y, options);
        return { end, gradient: grad(end.sum(), [k])[0] };
      },
      { y: ["N", 1], k: [] },
      { precision: "float64" },
    );
    const { end, gradient } = await run([100], [1]);
    expect(end[0]).toBeCloseTo(Math.SQRT1_2, 2);
    expect(gradient[0]).toBeNaN();
    await run.release();
  });

  test("throws an error for second derivatives", () => {
    const y = new Parameter([1, 1], [0.5]);
    const [slope] = grad(integrate(rational, y, { from: 0, to: 1 }).sum(), [y]);
    expect(() => grad(slope.sum(), [y])).toThrow(
      /The gradient of `integrate` cannot be differentiated again/,
    );
  });

  test("has the gradients of finite differences, with respect to the initial state, parameters and inputs of each row", async () => {
    const a = new Parameter([2, 2], Float64Array.of(0.3, -1.2, 0.8, 0.1));
    const b = new Parameter([2], Float64Array.of(0.2, -0.4));
    const build = (y: Tensor, c: Tensor) => {
      // The field reads parameters, and tensors computed from them.
      const product = a.matmul(a).mul(b).mul(0.3);
      const field = (t: Tensor, y: Tensor) =>
        y.affine(a, b).tanh().add(t.mul(c)).add(y.matmul(product).sin());
      const end = integrate(field, y, { from: 0.5, to: 2 });
      const loss = concat([end, end.square()], 1).sin().sum();
      const [dy, dc, da, db] = grad(loss, [y, c, a, b]);
      return { loss, dy, dc, da, db };
    };
    const run = compile(
      build,
      [
        ["N", 2],
        ["N", 2],
      ],
      { precision: "float64" },
    );
    const inputs = { y: [0.5, -1, 2, 0.3], c: [0.1, 0.2, -0.3, 0.7] };
    const { dy, dc, da, db } = await run(inputs.y, inputs.c);
    const h = 1e-5;
    const differences = async (values: Floats | number[], at: (values: Floats) => Promise<number>) => {
      const slopes: number[] = [];
      for (const i of values.keys()) {
        const moved = (by: number) => at(Float64Array.from(values, (v, j) => (i === j ? v + by : v)));
        slopes.push(((await moved(h)) - (await moved(-h))) / (2 * h));
      }
      return slopes;
    };
    const loss = async () => (await run(inputs.y, inputs.c)).loss[0];
    const withParameter = (p: Parameter) => async (values: Floats) => {
      const before = p.value;
      p.value = values;
      const result = await loss();
      p.value = before;
      return result;
    };
    const expected: [Floats, number[]][] = [
      [dy, await differences(inputs.y, async (y) => (await run(y, inputs.c)).loss[0])],
      [dc, await differences(inputs.c, async (c) => (await run(inputs.y, c)).loss[0])],
      [da, await differences(a.value, withParameter(a))],
      [db, await differences(b.value, withParameter(b))],
    ];
    for (const [actual, slopes] of expected)
      slopes.forEach((slope, i) => {
        expect(Math.abs(actual[i] - slope)).toBeLessThan(1e-7);
      });
  });
});
