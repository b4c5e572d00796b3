import { describe, expect, test } from "vitest";
import { logAbsDeterminant } from "../../src/bijections/determinant.ts";
import { jacobian, type Tensor } from "../../src/graph/index.ts";
import {
  above,
  below,
  type Constraint,
  choleskyCorrelation,
  interval,
  matrix,
  ordered,
  positive,
  positiveOrdered,
  real,
  simplex,
  vector,
} from "../../src/inference/index.ts";
import { Random } from "../../src/random/index.ts";
import { expectClose, run } from "../graph/run.ts";

const ROWS = 4;

/** Each constraint, and which numbers of a value determine the others. Its values lie in the set. */
const CASES: Readonly<
  Record<
    string,
    { constraint: Constraint; free?: readonly number[]; contains: (x: readonly number[]) => boolean }
  >
> = {
  real: { constraint: real(), contains: ([x]) => Number.isFinite(x) },
  "real with an offset and a multiplier": {
    constraint: real({ offset: 3, multiplier: 0.1 }),
    contains: ([x]) => x > 2 && x < 4,
  },
  "vector with an offset and a multiplier of earlier parameters": {
    constraint: vector(2, real({ offset: ({ limit }) => limit.mul(100), multiplier: ({ limit }) => limit })),
    contains: (x) => x.every((v) => Math.abs(v - 50) < 4),
  },
  positive: { constraint: positive(), contains: ([x]) => x > 0 },
  above: { constraint: above(2), contains: ([x]) => x > 2 },
  below: { constraint: below(-1), contains: ([x]) => x < -1 },
  interval: { constraint: interval(-1, 3), contains: ([x]) => x > -1 && x < 3 },
  "interval with a bound that depends on earlier parameters": {
    constraint: interval(0, ({ limit }) => limit),
    contains: ([x]) => x > 0 && x < 0.5,
  },
  "vector of real numbers": { constraint: vector(3), contains: (x) => x.length === 3 },
  "vector of positive numbers": { constraint: vector(3, positive()), contains: (x) => x.every((v) => v > 0) },
  "vector with a bound that depends on earlier parameters": {
    constraint: vector(
      2,
      interval(
        ({ limit }) => limit.neg(),
        ({ limit }) => limit,
      ),
    ),
    contains: (x) => x.every((v) => Math.abs(v) < 0.5),
  },
  matrix: { constraint: matrix(2, 2, positive()), contains: (x) => x.length === 4 && x.every((v) => v > 0) },
  simplex: {
    constraint: simplex(4),
    free: [0, 1, 2],
    contains: (x) => x.every((v) => v > 0) && Math.abs(x.reduce((a, b) => a + b) - 1) < 1e-14,
  },
  "vector of simplexes": {
    constraint: vector(2, simplex(3)),
    free: [0, 1, 3, 4],
    contains: (x) => x.every((v) => v > 0) && Math.abs(x[3] + x[4] + x[5] - 1) < 1e-14,
  },
  ordered: { constraint: ordered(4), contains: (x) => x.every((v, i) => i === 0 || v > x[i - 1]) },
  positiveOrdered: {
    constraint: positiveOrdered(3),
    contains: (x) => x.every((v, i) => v > (i === 0 ? 0 : x[i - 1])),
  },
  choleskyCorrelation: {
    constraint: choleskyCorrelation(3),
    free: [3, 6, 7],
    contains: (x) =>
      [0, 1, 2].every(
        (i) =>
          Math.abs(Math.hypot(...x.slice(3 * i, 3 * i + 3)) - 1) < 1e-14 &&
          x[4 * i] > 0 &&
          x.slice(3 * i + i + 1, 3 * i + 3).every((v) => v === 0),
      ),
  },
};

describe.each(Object.entries(CASES))("%s", (_, { constraint, free, contains }) => {
  const size = constraint.shape.reduce((a, b) => a * b, 1);
  const coordinates = new Random(1).normal(new Float64Array(ROWS * constraint.size)).map((u) => 1.5 * u);
  const limits = new Float64Array(ROWS).fill(0.5);
  const compute = (outputs: (value: Tensor, logDet: Tensor, u: Tensor) => Record<string, Tensor>) =>
    run(
      (u, limit) => {
        const { value, logDet } = constraint.constrain(u, { limit });
        expect(value.shape).toEqual(["N", ...constraint.shape]);
        return outputs(value, logDet, u);
      },
      [["N", constraint.size], ["N"]],
      [coordinates, limits],
    );

  test("maps onto its set", async () => {
    const { value } = await compute((value) => ({ value }));
    for (let row = 0; row < ROWS; row++)
      expect(value.slice(row * size, (row + 1) * size)).toSatisfy(contains);
  });

  test("returns the log-determinant of its Jacobian", async () => {
    const columns = free ?? Array.from({ length: size }, (_, i) => i);
    const D = constraint.size;
    const { jacobians, logDet } = await compute((value, logDet, u) => ({
      jacobians: jacobian(value.reshape(["N", size]).gather(1, columns), u),
      logDet: logDet.broadcastTo(["N"]),
    }));
    const expected = Array.from({ length: ROWS }, (_, row) =>
      logAbsDeterminant(jacobians.slice(row * D * D, (row + 1) * D * D), D),
    );
    expectClose(logDet, expected, 1e-12);
  });

  test("stays finite, with finite gradients, far from 0", async () => {
    const { value, jacobians, logDet } = await run(
      (u, limit) => {
        const { value, logDet } = constraint.constrain(u, { limit });
        const flat = value.reshape(["N", size]);
        return { value: flat, logDet: logDet.broadcastTo(["N"]), jacobians: jacobian(flat, u) };
      },
      [["N", constraint.size], ["N"]],
      [
        Float64Array.from({ length: 2 * constraint.size }, (_, i) => (i < constraint.size ? -30 : 30)),
        [0.5, 0.5],
      ],
      "float32",
    );
    for (const numbers of [value, jacobians, logDet]) expect(numbers.every(Number.isFinite)).toBe(true);
  });
});
