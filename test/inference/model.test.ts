import { describe, expect, test } from "vitest";
import { constant, input, type Tensor } from "../../src/graph/index.ts";
import { substitute } from "../../src/graph/substitute.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import {
  choleskyCorrelation,
  type Declarations,
  data,
  deterministic,
  interval,
  logProb,
  model,
  positive,
  real,
  type Terms,
  type ValuesOf,
  vector,
} from "../../src/inference/index.ts";
import { elementNames } from "../../src/inference/model.ts";
import { Random } from "../../src/random/index.ts";
import { expectClose, run } from "../graph/run.ts";

const y = [28, 8, -3, 7, -1, 1, 18, 12];
const sigma = [15, 10, 16, 11, 9, 11, 10, 18];

const schools = model({ mu: real(), tau: positive(), theta: vector(8) }, ({ mu, tau, theta }) => [
  logProb.normal(mu, 0, 5),
  logProb.halfCauchy(tau, 5),
  logProb.normal(theta, mu, tau),
  logProb.normal(y, theta, sigma),
]);

describe("a model", () => {
  test("adds its terms and the log-determinant of its constraints", async () => {
    const u = [1.5, 0.3, ...y.map((value) => value / 4)];
    const { result } = await run((rows) => ({ result: schools.logDensity(rows) }), [["N", 10]], [u]);
    const normal = (x: number, m: number, s: number) =>
      -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
    const tau = Math.exp(0.3);
    const expected =
      normal(1.5, 0, 5) +
      Math.log(2 / (Math.PI * 5 * (1 + (tau / 5) ** 2))) +
      y.reduce((sum, v, i) => sum + normal(v / 4, 1.5, tau) + normal(v, v / 4, sigma[i]), 0) +
      0.3;
    expectClose(result, [expected], 1e-13);
  });

  test("gives each parameter by name, with the batch axis first", () => {
    const { values } = schools.constrain(input("u", ["N", schools.features]));
    expect(values.mu.shape).toEqual(["N"]);
    expect(values.tau.shape).toEqual(["N"]);
    expect(values.theta.shape).toEqual(["N", 8]);
    // @ts-expect-error: the types know the declared names.
    expect(values.thta).toBeUndefined();
  });

  test("names the elements of its draws", () => {
    const declarations = { mu: real(), theta: vector(2), L: choleskyCorrelation(2) };
    expect(elementNames(declarations)).toEqual([
      "mu",
      "theta[0]",
      "theta[1]",
      "L[0,0]",
      "L[0,1]",
      "L[1,0]",
      "L[1,1]",
    ]);
  });

  test("lets bounds depend on parameters that are declared before", async () => {
    const garch = model(
      { alpha: interval(0, 1), beta: interval(0, ({ alpha }) => alpha.neg().add(1)) },
      ({ alpha, beta }) => alpha.add(beta),
    );
    const u = new Random(0).normal(new Float64Array(40)).map((v) => 3 * v);
    const { sum } = await run(
      (rows) => {
        const { alpha, beta } = garch.constrain(rows).values;
        return { sum: alpha.add(beta) };
      },
      [["N", 2]],
      [u],
    );
    for (const value of sum) expect(value).toBeLessThan(1);
  });
});

describe("a function of earlier parameters", () => {
  const written = model({ tau: positive(), z: vector(3) }, ({ tau, z }) => [
    logProb.halfNormal(tau, 1),
    logProb.normal(z, 0, 1),
    logProb.normal([1, 2, 3], z.mul(tau.reshape(["N", 1])), 1),
  ]);
  const declared = model(
    {
      tau: positive(),
      z: vector(3),
      theta: deterministic([3], ({ tau, z }) => z.mul(tau.reshape(["N", 1]))),
      largest: deterministic([], ({ theta }) => theta.max(1)),
    },
    ({ tau, z, theta }) => [
      logProb.halfNormal(tau, 1),
      logProb.normal(z, 0, 1),
      logProb.normal([1, 2, 3], theta, 1),
    ],
  );

  test("has values but no coordinates, and does not change the density", async () => {
    expect(declared.features).toBe(4);
    const u = [0.3, 1, -2, 0.5];
    const { expected, density, largest } = await run(
      (rows) => ({
        expected: written.logDensity(rows),
        density: declared.logDensity(rows),
        largest: declared.constrain(rows).values.largest,
      }),
      [["N", 4]],
      [u],
    );
    expectClose(density, expected);
    expectClose(largest, [Math.exp(0.3)]);
  });

  test("must have the declared shape", () => {
    const ofShape = (shape: number[]) =>
      model({ mu: real(), wrong: deterministic(shape, ({ mu }) => mu) }, () => []);
    expect(() => ofShape([2])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: parameter wrong: the function returns a wrong shape: expected [N, 2], received [N].]`,
    );
    expect(() => ofShape([0])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the shape of deterministic is not valid: expected a list of positive integers, such as [8], or [] for a number, received [0].]`,
    );
  });
});

describe("a likelihood of rows", () => {
  const rows = Array.from({ length: 50 }, (_, i) => [i / 10, Math.sin(i)]);
  const regression = (batchSize?: number) =>
    model({ slope: real() }, ({ slope }) => [logProb.normal(slope, 0, 1)], {
      data: rows,
      ...(batchSize !== undefined && { batchSize }),
      logLikelihood: ({ slope }, batch) => {
        const [x, z] = [0, 1].map((i) => batch.slice(1, i, i + 1).sum(1));
        return logProb.normal(z, slope.mul(x), 1);
      },
    });
  const atHalf = async (build: (u: Tensor) => Tensor, seed?: number) => {
    const traced = (u: Tensor) => {
      const { result, randomInputs } = traceLoss(() => build(u));
      const draws = randomInputs.map(({ tensor, fill }, k) => {
        const values = new Float64Array((tensor.shape as number[]).reduce((a, b) => a * b, 1));
        fill({ random: new Random(seed!).split(k), step: 0 }, values, 0);
        return constant(values, tensor.shape);
      });
      const substituted = substitute(
        [result],
        new Map(randomInputs.map(({ tensor }, k) => [tensor, draws[k]])),
      );
      return { value: substituted[0] };
    };
    return (await run(seed === undefined ? (u) => ({ value: build(u) }) : traced, [["N", 1]], [[0.5]]))
      .value[0];
  };

  test("of a batch, scaled, is an unbiased estimate of that of all rows", async () => {
    const full = await atHalf(regression(10).logDensity);
    expect(full).toBeCloseTo(await atHalf(regression().logDensity), 10);
    const estimates: number[] = [];
    for (let seed = 0; seed < 400; seed++) estimates.push(await atHalf(regression(10).logDensity, seed));
    const mean = estimates.reduce((a, b) => a + b) / estimates.length;
    const variance = estimates.reduce((sum, e) => sum + (e - mean) ** 2, 0) / (estimates.length - 1);
    expect(variance).toBeGreaterThan(1);
    expect(Math.abs(mean - full)).toBeLessThan(4 * Math.sqrt(variance / estimates.length));
  });

  test("must return a number for each draw and row", () => {
    const wrong = () => model({ a: real() }, () => [], { data: rows, logLikelihood: ({ a }) => a });
    expect(wrong).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the log-likelihood has a wrong shape: expected [N, 50], a number for each draw and row, received [N].]`,
    );
  });
});

describe("data", () => {
  test("are constants in the shape of nested arrays", () => {
    expect(data([1, 2, 3]).shape).toEqual([3]);
    expect(data([new Float32Array([1, 2]), [3, 4], [5, 6]]).shape).toEqual([3, 2]);
    expect(data(4).shape).toEqual([]);
  });

  test("with gaps or of unequal lengths are errors", () => {
    expect(() => data([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the arrays of the data have different lengths: expected 2 values in each array of axis 1, received 1.]`,
    );
    expect(() => data([1, Number.NaN])).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the data have a value that is not a finite number: expected finite numbers, received NaN.
      Leave out missing values, or declare them as parameters.]
    `);
    expect(() => data(["1"] as unknown as number[])).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the data have a value that is not a finite number: expected finite numbers, received "1".
      Leave out missing values, or declare them as parameters.]
    `);
  });
});

test("errors name the parameter or the term", () => {
  const messageOf = <D extends Declarations>(parameters: D, density: (p: ValuesOf<D>) => Terms): string => {
    try {
      model(parameters, density);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("nothing was thrown");
  };
  expect({
    "bounds in the wrong order": messageOf({ rho: interval(3, 1) }, ({ rho }) => rho),
    "a multiplier that is not positive": messageOf({ rho: real({ multiplier: 0 }) }, ({ rho }) => rho),
    "a multiplier that is infinite": messageOf({ rho: real({ multiplier: Infinity }) }, ({ rho }) => rho),
    "a multiplier that is a string": messageOf({ rho: real({ multiplier: "2" as never }) }, ({ rho }) => rho),
    "an offset that is not a number": messageOf({ rho: real({ offset: Number.NaN }) }, ({ rho }) => rho),
    "a bound that is not a tensor": messageOf({ rho: interval(0, () => "1" as never) }, ({ rho }) => rho),
    "a bound that reads a later parameter": messageOf(
      { a: interval(0, ({ b }) => b), b: positive() },
      ({ a }) => a,
    ),
    "a parameter that is not declared": messageOf({ theta: real() }, (p) => (p as { thta?: Tensor }).thta!),
    "a density of another shape": messageOf({ theta: vector(3) }, ({ theta }) => theta),
    "a term with the draws on its second axis": messageOf({ theta: vector(3) }, ({ theta }) => [
      theta.transpose(),
    ]),
    "a term that is not a tensor": messageOf({ theta: real() }, ({ theta }) => [theta, 3 as never]),
    "a parameter without a constraint": messageOf({ theta: 3 as never }, () => []),
    "no parameters": messageOf({}, () => []),
  }).toMatchInlineSnapshot(`
    {
      "a bound that is not a tensor": "parameter rho: a function of earlier parameters does not return a tensor: expected a tensor [N], or [N, K] for a vector of K values, received "1".",
      "a bound that reads a later parameter": "parameter a: its declaration reads a parameter that is not declared before it: expected nothing, received b.",
      "a density of another shape": "the log-density has a wrong shape: expected [N], a number for each draw, received [N, 3].
    Return a list of terms, as in [logProb.normal(y, mu, 1)], to sum each over all axes but the first.",
      "a multiplier that is a string": "parameter rho: the multiplier is not valid: expected a finite positive number, or a function of earlier parameters, received "2".",
      "a multiplier that is infinite": "parameter rho: the multiplier is not valid: expected a finite positive number, or a function of earlier parameters, received Infinity.",
      "a multiplier that is not positive": "parameter rho: the multiplier is not valid: expected a finite positive number, or a function of earlier parameters, received 0.",
      "a parameter that is not declared": "the log-density reads a parameter that is not declared: expected theta, received thta (did you mean theta?).",
      "a parameter without a constraint": "parameter theta is not declared by a constraint: expected real(), positive(), vector(8) or the like, received 3.",
      "a term that is not a tensor": "term 1 of the log-density is not a tensor of numbers: expected a tensor [N, ...], received 3.",
      "a term with the draws on its second axis": "term 0 of the log-density has a wrong shape: expected [N, ...], received [3, N].
    The axis N of the draws must be the first axis of a term. Transpose the term.",
      "an offset that is not a number": "parameter rho: the offset is not valid: expected a finite number, or a function of earlier parameters, received NaN.",
      "bounds in the wrong order": "parameter rho: the bounds are not valid: expected two finite numbers with low < high, or functions of earlier parameters, received 3 and 1.",
      "no parameters": "the model has no parameters.",
    }
  `);
  expect(() => model({ rho: interval(3, 1) }, ({ rho }) => rho)).toThrow(
    expect.objectContaining({ code: "ARGUMENT", received: "3 and 1" }),
  );
  expect(() => vector(0)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the size of vector is not valid: expected an integer of at least 1, received 0.]`,
  );
});
