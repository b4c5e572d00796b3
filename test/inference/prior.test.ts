import { describe, expect, test } from "vitest";
import { concat, input, type Tensor } from "../../src/graph/tensor.ts";
import { logProb, matrix, model, type Prior, prior, simulator, vector } from "../../src/inference/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";

/** Each prior with its log-density at x. */
const priors: Readonly<Record<string, [Prior, (x: Tensor) => Tensor]>> = {
  exponential: [prior.exponential(3), (x) => logProb.exponential(x, 3)],
  halfNormal: [prior.halfNormal(2), (x) => logProb.halfNormal(x, 2)],
  logNormal: [prior.logNormal(-1, 0.5), (x) => logProb.logNormal(x, -1, 0.5)],
  logUniform: [
    prior.logUniform(0.1, 20),
    (x) =>
      x
        .log()
        .add(Math.log(Math.log(200)))
        .neg(),
  ],
  normal: [prior.normal(1, 3), (x) => logProb.normal(x, 1, 3)],
  uniform: [prior.uniform(-1, 4), (x) => logProb.uniform(x, -1, 4)],
};

const u = [-6, -2.5, -1, -1e-3, 0, 0.5, 1.7, 3, 6];

describe.each(Object.entries(priors))("%s", (_name, [each, logDensity]) => {
  test("standard normal coordinates have its density", async () => {
    const { constrain } = model({ x: each }, () => []);
    const f = compile(
      (u) => {
        const { values, logDet } = constrain(u);
        return {
          transported: u.square().sum(1).mul(-0.5).sub(logDet),
          density: logDensity(values.x),
          x: values.x,
        };
      },
      { u: ["N", 1] },
      { precision: "float64" },
    );
    const { transported, density, x } = await f(Float64Array.from(u));
    await f.release();
    expect([...x]).toEqual([...x.toSorted()]);
    transported.forEach((value, i) => {
      expect(value - 0.5 * Math.log(2 * Math.PI)).toBeCloseTo(density[i]!, 9);
    });
  });

  test("the coordinates of a value are those that are mapped to it", async () => {
    const f = compile(
      (u) => each.coordinates(each.constrain(u, {}).value, {}),
      { u: ["N", 1] },
      { precision: "float64" },
    );
    const coordinates = await f(Float64Array.from(u));
    await f.release();
    // A value near a bound has few digits of its distance from the bound, which is 1e-9 of the range at the coordinate 6.
    coordinates.forEach((value, i) => {
      expect(value).toBeCloseTo(u[i]!, Math.abs(u[i]!) === 6 ? 6 : 9);
    });
  });

  test("the log-determinant is that of the map", async () => {
    const { constrain } = model({ x: each }, () => []);
    const f = compile(
      (u) => {
        const { values, logDet } = constrain(u);
        return { x: values.x, logDet };
      },
      { u: ["N", 1] },
      { precision: "float64" },
    );
    const step = 1e-5;
    const [above, below, at] = await Promise.all(
      [step, -step, 0].map((h) => f(Float64Array.from([-2, -0.3, 0.9, 2], (value) => value + h))),
    );
    await f.release();
    at!.logDet.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.log((above!.x[i]! - below!.x[i]!) / (2 * step)), 6);
    });
  });
});

test("a multivariate normal prior has the covariance of its factor", async () => {
  const each = prior.multivariateNormal(
    [1, 2],
    [
      [2, 1],
      [4, 3],
    ],
  );
  const { value, logDet } = each.constrain(input("u", ["N", 2]), {});
  expect([value.shape, each.size]).toEqual([["N", 2], 2]);
  expect(logDet.rank).toBe(0);
  const f = compile((u) => ({ ...each.constrain(u, {}) }), [["N", 2]]);
  const at = await f([0.5, -1]);
  // [1, 2] + [2 * 0.5 - 1, 4 * 0.5 - 3], and the determinant is 2 * 3 - 1 * 4.
  expect([...at.value!]).toEqual([1, 1]);
  expect(at.logDet![0]).toBeCloseTo(Math.log(2), 6);
  await f.release();
});

test("coordinates of vectors, of matrices and of values with earlier parameters are found too", async () => {
  const scale = ({ scale }: { scale: Tensor }) => scale;
  const { parameters, prior: ofAll } = simulator(
    {
      scale: prior.halfNormal(2),
      each: vector(3, prior.uniform(0, scale)),
      table: matrix(2, 2, prior.logUniform(1, 5)),
      normals: vector(
        2,
        prior.multivariateNormal(
          [1, -1],
          [
            [0, 2],
            [3, 1],
          ],
        ),
      ),
    },
    () => [0],
  );
  const f = compile(
    (u) => {
      const { values } = ofAll.constrain(u);
      const names = Object.keys(parameters) as (keyof typeof parameters)[];
      return concat(
        names.map((name) => parameters[name].coordinates(values[name], values)),
        1,
      );
    },
    { u: ["N", ofAll.features] },
    { precision: "float64" },
  );
  const rows = new Random(5).normal(new Float64Array(20 * ofAll.features));
  const coordinates = await f(rows);
  await f.release();
  coordinates.forEach((value, i) => {
    expect(value).toBeCloseTo(rows[i]!, 9);
  });
});

test("vectors and matrices of priors are priors", () => {
  const { prior: ofAll } = simulator(
    { a: vector(3, prior.normal(0, 1)), b: matrix(2, 2, prior.uniform(0, 1)) },
    ({ a, b }) => [...a, ...b],
  );
  expect(ofAll.features).toBe(7);
});

test("bounds that are not valid are errors", () => {
  expect(() => prior.uniform(2, 1)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the bounds are not valid: expected two finite numbers with low < high, or functions of earlier parameters, received 2 and 1.]`,
  );
  expect(() => prior.normal(0, -1)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the sd of a prior is not valid: expected a positive number, or a function of earlier parameters, received -1.]`,
  );
  for (const mean of [Number.NaN, "1" as never]) {
    for (const build of [prior.normal, prior.logNormal, () => prior.multivariateNormal([mean], [[1]])])
      expect(() => build(mean, 1)).toThrow("the mean of a prior is not valid: expected a finite number");
  }
  expect(() => prior.logUniform(0, 1)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the low of a prior is not valid: expected a positive number, or a function of earlier parameters, received 0.]`,
  );
  expect(() => prior.multivariateNormal([0, 0], [[1, 0]])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the mean and the factor of a normal prior do not match: expected n means, and n rows of n numbers, received 2 means, and rows of 2.]`,
  );
  expect(() =>
    prior.multivariateNormal(
      [0, 0],
      [
        [1, 1],
        [1, 1],
      ],
    ),
  ).toThrowErrorMatchingInlineSnapshot(`[PushforwardError: the factor of a normal prior is not invertible.]`);
});
