import { describe, expect, test } from "vitest";
import { logAbsDeterminant } from "../../src/bijections/determinant.ts";
import { eliminate } from "../../src/bijections/elimination.ts";
import { Residual } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, residualFlow } from "../../src/flows/index.ts";
import { grad, Parameter, type Tensor } from "../../src/graph/index.ts";
import { spectralBound } from "../../src/graph/numerics/spectralNorm.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random, toys } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { fit } from "../../src/train/index.ts";
import { integral, lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { expectClose } from "./invariants.ts";

/** The spectral norm by power iteration, which approaches it from below. */
function spectralNorm(matrix: Float64Array, rows: number, columns: number): number {
  let v = new Float64Array(columns).map((_, j) => 1 + Math.sin(j));
  let norm = 0;
  for (let iteration = 0; iteration < 3000; iteration++) {
    const u = Float64Array.from({ length: rows }, (_, i) =>
      v.reduce((sum, x, j) => sum + matrix[i * columns + j] * x, 0),
    );
    const next = v.map((_, j) => u.reduce((sum, x, i) => sum + matrix[i * columns + j] * x, 0));
    norm = Math.sqrt(Math.hypot(...next) / Math.hypot(...v));
    const length = Math.hypot(...next);
    v = next.map((x) => x / length);
  }
  return norm;
}

describe("spectralBound", () => {
  test.each([
    [3, 3, 1],
    [64, 64, 1],
    [2, 40, 1e-6],
    [40, 5, 1e6],
  ])("of a %d by %d matrix is at least its norm and at most 3.4% more", async (rows, columns, scale) => {
    const values = new Random(1).normal(new Float64Array(rows * columns)).map((v) => scale * v);
    const weight = new Parameter([rows, columns], values);
    const norm = spectralNorm(values, rows, columns);
    const bound = Number(
      (await compile(() => spectralBound(weight), [], { precision: "float64", batch: 1 })())[0],
    );
    expect(bound / norm).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(bound / norm).toBeLessThan(1.034);
  });

  test("has its known value for orthogonal and for rank 1 matrices", async () => {
    const bound = async (values: number[], rows: number, columns: number) =>
      (
        await compile(() => spectralBound(new Parameter([rows, columns], Float64Array.from(values))), [], {
          precision: "float64",
          batch: 1,
        })()
      )[0];
    expect(await bound([3, 4, 0, 0], 2, 2)).toBeCloseTo(5, 12);
    expect(await bound([0, 2, -2, 0], 2, 2)).toBeCloseTo(2 * 2 ** (1 / 128), 12);
    expect(await bound([0, 0, 0, 0], 2, 2)).toBeLessThan(1e-6);
  });
});

test("elimination computes the determinant and solutions of I + J with gradients, in 40 features", async () => {
  const [rows, size] = [5, 40];
  const matrices = new Random(2).normal(new Float64Array(rows * size * size)).map((v, k) => {
    const diagonal = Math.floor(k / size) % size === k % size;
    // The norm of a normal matrix is about 2 sqrt(D).
    return (0.95 * v) / (2 * Math.sqrt(size)) / 1.2 + (diagonal ? 1 : 0);
  });
  const w = new Random(3).normal(new Float64Array(rows * size));
  const run = compile(
    (a, w) => {
      const { logDet, solve } = eliminate(a);
      const v = solve(w);
      const [gradient] = grad(logDet.sum(), [a]);
      const product = (x: Tensor, y: Tensor) => x.matmul(y.reshape(["N", size, 1])).reshape(["N", size]);
      // The gradient is A^-T, and w^T A^-T w a number, which has a gradient too.
      const quadratic = product(gradient, w).mul(w).sum();
      return {
        logDet,
        back: product(a, v),
        transposed: product(a.transpose([0, 2, 1]), product(gradient, w)),
        quadratic,
        second: grad(quadratic, [a])[0],
      };
    },
    [
      ["N", size, size],
      ["N", size],
    ],
    { precision: "float64" },
  );
  const { logDet, back, transposed, second } = await run(matrices, w);
  const expected = Array.from({ length: rows }, (_, r) =>
    logAbsDeterminant(matrices.subarray(r * size * size, (r + 1) * size * size), size),
  );
  expectClose(logDet, expected, 1e-12, "log-det");
  expectClose(back, w, 1e-12, "A v");
  expectClose(transposed, w, 1e-12, "A^T times the gradient");
  const direction = new Random(4).normal(new Float64Array(matrices.length));
  const at = async (step: number) =>
    (
      await run(
        matrices.map((v, k) => v + step * direction[k]),
        w,
      )
    ).quadratic[0];
  const difference = ((await at(1e-5)) - (await at(-1e-5))) / 2e-5;
  const along = direction.reduce((sum, v, k) => sum + v * second[k], 0);
  expectClose([along], [difference], 1e-6, "second derivative");
});

describe("Residual", () => {
  test.each(["random", "the steepest"])(
    "is a contraction with %s weights, and is inverted",
    async (weights) => {
      const bijection = new Residual({ features: 3, hidden: [3], lipschitz: 0.97 }, new Random(0));
      perturb(parametersOf(bijection), 5);
      if (weights !== "random")
        bijection.network.forEach(({ weight, bias }, i) => {
          weight.value = Float64Array.from({ length: 9 }, (_, k) => (k % 4 === 0 ? (i === 0 ? 10 : -10) : 0));
          bias.value = new Float64Array(3).fill(2);
        });
      const run = compile(
        (x) => {
          const z = bijection.inverse(x).value;
          return { moved: z.sub(x), back: bijection.forward(z).value };
        },
        [["N", 3]],
        { precision: "float64" },
      );
      const x = new Random(1).normal(new Float64Array(600)).map((v) => 3 * v);
      const { moved, back } = await run(x);
      const distance = (rows: ArrayLike<number>, a: number, b: number) =>
        Math.hypot(...[0, 1, 2].map((j) => rows[3 * a + j] - rows[3 * b + j]));
      let largest = 0;
      for (let a = 1; a < 200; a++)
        largest = Math.max(largest, distance(moved, a, a - 1) / distance(x, a, a - 1));
      expect(largest).toBeLessThanOrEqual(0.97);
      if (weights !== "random") expect(largest).toBeGreaterThan(0.9);
      expectClose(back, x, 1e-11, "x");
    },
  );

  test("is inverted where z is much larger than x", async () => {
    const bijection = new Residual({ features: 1, hidden: [1], lipschitz: 0.9 }, new Random(0));
    const [first, last] = bijection.network;
    first.weight.value = Float64Array.of(3);
    last.weight.value = Float64Array.of(3);
    last.bias.value = Float64Array.of(-60);
    const run = compile(
      (x) => {
        const z = bijection.inverse(x).value;
        return bijection.forward(z).value;
      },
      [["N", 1]],
    );
    const x = Float64Array.from({ length: 400 }, (_, i) => (i - 200) / 2);
    expectClose(await run(x), x, 1e-4, "x");
  });

  test("has a density that integrates to 1", async () => {
    const bijection = new Residual({ features: 2, hidden: [8, 8] }, new Random(0));
    perturb(parametersOf(bijection), 1);
    const flow = new Flow(new StandardNormal({ features: 2 }), bijection);
    const { rows, weights } = square(lineRule(301, 60));
    const logProb = await flow.logProb(rows, undefined, { precision: "float64", threads: 1 });
    expect(integral(logProb, weights)).toBeCloseTo(1, 4);
  });

  test("of 24 features, trained by estimates, has a higher log-density than a Gaussian", async () => {
    const [pairs, rows] = [12, 1000];
    const D = 2 * pairs;
    const table = (seed: number) => {
      const plane = toys.banana(rows * pairs, { seed });
      return Float64Array.from(plane, (v) => v / 2);
    };
    const [data, heldOut] = [table(1), table(2)];
    const flow = forTables(residualFlow(D, { transforms: 2, hidden: [48], seed: 1 }));
    await fit(flow, data, { epochs: 25, optimizer: { learningRate: 0.01 } });
    const logProb = await flow.logProb(heldOut);
    const mean = logProb.reduce((a, b) => a + b) / rows;
    expect(mean).toBeGreaterThan(gaussianLogDensity(data, D) + 1);
    // Densities are exact: they do not vary from call to call or with the precision.
    const [again, precise] = [
      await flow.logProb(heldOut),
      await flow.logProb(heldOut, undefined, { precision: "float64" }),
    ];
    expect(again).toEqual(logProb);
    expectClose(logProb, precise, 1e-4, "log-density");
    // On average no model exceeds the true log-density, whose mean is minus the entropy.
    const best = -pairs * (toys.banana.entropy - 2 * Math.log(2));
    expect(mean).toBeLessThan(best);
  });
});

/** Mean log-density of rows under the normal distribution of their mean and covariance. */
function gaussianLogDensity(data: Float64Array, D: number): number {
  const rows = data.length / D;
  const mean = (d: number, e?: number) => {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += data[r * D + d] * (e === undefined ? 1 : data[r * D + e]);
    return sum / rows;
  };
  const covariance = Float64Array.from({ length: D * D }, (_, k) => {
    const [d, e] = [Math.floor(k / D), k % D];
    return mean(d, e) - mean(d) * mean(e);
  });
  return -0.5 * (D * (1 + Math.log(2 * Math.PI)) + logAbsDeterminant(covariance, D));
}

test("second derivatives through the fixed point equal differences of the first", async () => {
  const bijection = new Residual({ features: 2, hidden: [5], lipschitz: 0.8 }, new Random(3));
  const parameters = parametersOf(bijection);
  perturb(parameters);
  const weights = [...parameters.values()];
  const run = compile(
    (z) => {
      const { value, logDet } = bijection.forward(z);
      const first = grad(value.sin().sum().add(logDet.sum()), [z, ...weights]);
      const squares = first.map((g) => g.square().sum()).reduce((a, b) => a.add(b));
      return [squares, ...grad(squares, [z, ...weights])];
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const z = Float64Array.of(0.4, -1.2, 0.7, 0.1);
  const [, ...gradients] = await run(z);
  const h = 1e-5;
  for (const [k, values] of [z, ...weights.map(({ value }) => value)].entries()) {
    const slopes: number[] = [];
    for (const [i, start] of values.entries()) {
      const at = async (by: number) => {
        values[i] = start + by;
        return (await run(z))[0][0];
      };
      slopes.push(((await at(h)) - (await at(-h))) / (2 * h));
      values[i] = start;
    }
    expectClose(gradients[k], slopes, 1e-6, `input ${k}`);
  }
});
