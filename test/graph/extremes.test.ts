import { describe, expect, test } from "vitest";
import { grad, logGamma, type Tensor } from "../../src/graph/index.ts";
import { run } from "./run.ts";
import * as special from "./special.ts";

const { POSITIVE_INFINITY: INFINITY, NaN: NAN, MAX_VALUE } = Number;

describe.each([
  ["float32", Math.fround, 1e-6],
  ["float64", (x: number) => x, 1e-14],
] as const)("in %s", (precision, round, tolerance) => {
  /** Value and derivative of a function of one variable at each of the given numbers. */
  const at = (f: (x: Tensor) => Tensor, xs: readonly number[]) =>
    run(
      (x) => {
        const value = f(x);
        return { value, slope: grad(value.sum(), [x])[0] };
      },
      [["N"]],
      [xs],
      precision,
    );

  /** The relative error, 0 if both numbers are equal, also if they are infinite or 0. */
  const error = (actual: number, expected: number) =>
    actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected);

  /** Normal float32 powers of ten, with both signs. */
  const decades = Array.from({ length: 74 }, (_, i) => 10 ** (i - 36)).flatMap((x) => [round(x), round(-x)]);
  const within = (low: number, high: number) => decades.filter((x) => x >= low && x <= high);

  /** Near the limits of float32 the reference is allowed to overflow or underflow where the result does. */
  const representable = (x: number) => (Math.abs(round(x)) < 1.2e-38 ? 0 : round(x));

  const cases: [string, (x: Tensor) => Tensor, (x: number) => number, number[]][] = [
    ["log1p", (x) => x.log1p(), Math.log1p, within(-0.1, 1e37)],
    ["expm1", (x) => x.expm1(), Math.expm1, within(-1e37, 80)],
    ["tanh", (x) => x.tanh(), Math.tanh, decades],
    ["sigmoid", (x) => x.sigmoid(), (x) => 1 / (1 + Math.exp(-x)), [...decades, -20, -40, -80, 20, 40, 80]],
    ["softplus", (x) => x.softplus(), softplus, [...decades, -20, -40, -80, 20, 40, 80]],
    ["erf", (x) => x.erf(), special.erf, within(-1e6, 1e6)],
    ["exp", (x) => x.exp(), Math.exp, within(-80, 80)],
    ["log", (x) => x.log(), Math.log, within(1e-37, 1e37)],
  ];
  test.each(cases)("%s is precise to the last digits from 1e-36 to 1e37", async (_, build, f, xs) => {
    const { value } = await at(build, xs);
    const errors = xs.map((x, i) => ({ x, error: error(representable(value[i]), representable(f(x))) }));
    expect(errors.filter((e) => !(e.error < tolerance))).toEqual([]);
  });

  test("elu and its slope have at most the rounding error of 1", async () => {
    const { value, slope } = await at((x) => x.elu(), decades);
    decades.forEach((x, i) => {
      expect(Math.abs(value[i]! - (x > 0 ? x : Math.expm1(x)))).toBeLessThan(tolerance);
      expect(Math.abs(slope[i]! - (x > 0 ? 1 : Math.exp(x)))).toBeLessThan(tolerance);
    });
  });

  test.each<[string, (x: Tensor) => Tensor, [x: number, value: number, slope: number][]]>([
    [
      "log1p",
      (x) => x.log1p(),
      [
        [INFINITY, INFINITY, 0],
        [0, 0, 1],
        [-1, -INFINITY, INFINITY],
        [-2, NAN, -1],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "expm1",
      (x) => x.expm1(),
      [
        [INFINITY, INFINITY, INFINITY],
        [-INFINITY, -1, 0],
        [0, 0, 1],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "softplus",
      (x) => x.softplus(),
      [
        [INFINITY, INFINITY, 1],
        [-INFINITY, 0, 0],
        [1e30, round(1e30), 1],
        [-1e30, 0, 0],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "sigmoid",
      (x) => x.sigmoid(),
      [
        [INFINITY, 1, 0],
        [-INFINITY, 0, 0],
        [100, 1, 0],
        [1e30, 1, 0],
        [-1e30, 0, 0],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "tanh",
      (x) => x.tanh(),
      [
        [INFINITY, 1, 0],
        [-INFINITY, -1, 0],
        [100, 1, 0],
        [-1e30, -1, 0],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "erf",
      (x) => x.erf(),
      [
        [INFINITY, 1, 0],
        [-INFINITY, -1, 0],
        [1e18, 1, 0],
        [NAN, NAN, NAN],
      ],
    ],
    [
      "elu",
      (x) => x.elu(),
      [
        [INFINITY, INFINITY, 1],
        [-INFINITY, -1, 0],
        [1e30, round(1e30), 1],
      ],
    ],
    [
      "clip",
      (x) => x.clip(-2, 3),
      [
        [INFINITY, 3, 0],
        [-INFINITY, -2, 0],
        [1e30, 3, 0],
      ],
    ],
    [
      "relu",
      (x) => x.relu(),
      [
        [INFINITY, INFINITY, 1],
        [-INFINITY, 0, 0],
        [-1e30, 0, 0],
      ],
    ],
  ])("%s at its ends", async (_, build, expected) => {
    const xs = expected.map(([x]) => x);
    const { value, slope } = await at(build, xs);
    expect(xs.map((x, i) => [x, value[i], slope[i] + 0])).toEqual(expected);
  });

  test("the derivative of softplus is precise in the tail", async () => {
    const xs = [-10, -20, -40, -80];
    const { slope } = await at((x) => x.softplus(), xs);
    for (const [i, x] of xs.entries())
      expect(error(slope[i], Math.exp(x) / (1 + Math.exp(x)))).toBeLessThan(tolerance);
  });

  test("logGamma from 1e-30 to 1e30", async () => {
    const xs = [1e-30, 1e-10, 0.01, 1, 2, 30, 1e3, 1e5, 1e6, 1e8, 5e9, 1e12, 1e30].map(round);
    const { value } = await at(logGamma, xs);
    const size = (x: number) => Math.max(10, Math.abs(special.logGamma(x)));
    for (const [i, x] of xs.entries()) {
      expect(Math.abs(value[i] - special.logGamma(x)) / size(x), `at ${x}`).toBeLessThan(tolerance);
    }
  });

  test.each<[string, number[], number, number[] | undefined]>([
    ["nothing but -Infinity", [-INFINITY, -INFINITY, -INFINITY], -INFINITY, [0, 0, 0]],
    ["one number", [-INFINITY, 1.5, -INFINITY], 1.5, [0, 1, 0]],
    ["two numbers", [2, 2, -INFINITY], 2 + Math.LN2, [0.5, 0.5, 0]],
    ["a huge number", [1e30, -1e30, 0], round(1e30), [1, 0, 0]],
    ["a huge negative number", [-1e30, -INFINITY, -INFINITY], round(-1e30), [1, 0, 0]],
    ["different large numbers", [1000, 1000 + Math.log(3), -1000], 1000 + Math.log(4), [0.25, 0.75, 0]],
    [
      "different large negative numbers",
      [-1000, -1000 + Math.log(3), -2000],
      -1000 + Math.log(4),
      [0.25, 0.75, 0],
    ],
    ["the lowest numbers", [-3e38, -INFINITY, -3.1e38], round(-3e38), [1, 0, 0]],
    ["Infinity", [INFINITY, 1, -INFINITY], INFINITY, undefined],
    ["NaN", [0, NAN, 0], NAN, [NAN, NAN, NAN]],
    ["a pair", [-INFINITY, 1.5], 1.5, [0, 1]],
    ["a pair of large numbers", [1000 + Math.log(3), 1000], 1000 + Math.log(4), [0.75, 0.25]],
    ["a pair of nothing but -Infinity", [-INFINITY, -INFINITY], -INFINITY, [0, 0]],
    ["a pair with the lowest number", [-3e38, -INFINITY], round(-3e38), [1, 0]],
    ["a pair with Infinity", [1, INFINITY], INFINITY, undefined],
    ["a pair with NaN", [0, NAN], NAN, [NAN, NAN]],
  ])("logsumexp of %s", async (_, x, expected, weights) => {
    for (const axes of [1, [0, 1]]) {
      const { value, g } = await run(
        (x) => {
          const value = x.logsumexp(axes);
          return { value, g: grad(value.sum(), [x])[0] };
        },
        [[1, x.length]],
        [x],
        precision,
      );
      expect(error(value[0], expected)).not.toBeGreaterThan(tolerance);
      expect(Number.isNaN(value[0])).toBe(Number.isNaN(expected));
      // 1000 + log 3 is rounded, which the weights show.
      weights?.forEach((w, i) => {
        if (Number.isNaN(w)) expect(g[i]).toBeNaN();
        else expect(Math.abs(g[i] - w)).toBeLessThan(1000 * tolerance);
      });
    }
  });

  test("logsumexp can be differentiated twice where it is -Infinity", async () => {
    const { h } = await run(
      (x) => {
        const [g] = grad(x.logsumexp(1).sum(), [x]);
        return { h: grad(g.square().sum(), [x])[0] };
      },
      [["N", 2]],
      [[-INFINITY, -INFINITY, -INFINITY, 0, 0, 0]],
      precision,
    );
    expect(h.map((v) => v + 0)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("softmax and logSoftmax with -Infinity and large numbers", async () => {
    const x = [-INFINITY, 0, 0, 1e30, 0, -1e30, 500, 500, -INFINITY];
    const result = await run(
      (x) => {
        const [softmax, logSoftmax] = [x.softmax(1), x.logSoftmax(1)];
        return {
          softmax,
          g: grad(softmax.square().sum(), [x])[0],
          h: grad(logSoftmax.slice(1, 0, 1).sum(), [x])[0],
        };
      },
      [["N", 3]],
      [x],
      precision,
    );
    expect(result.softmax).toEqual([0, 0.5, 0.5, 1, 0, 0, 0.5, 0.5, 0]);
    expect(result.g.map((v) => v + 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(result.h.slice(3).map((v) => v + 0)).toEqual([0, 0, 0, 0.5, -0.5, 0]);
  });

  test.each<[string, number]>([
    ["NaN", NAN],
    ["Infinity", INFINITY],
    ["-Infinity", -INFINITY],
  ])("where masks %s of the branch not taken, in value and gradient", async (_, poison) => {
    const result = await run(
      (x, bad) => {
        const chosen = x.greater(0).where(x.mul(2), bad);
        const other = x.greater(0).not().where(bad, x.mul(2));
        const loss = chosen.add(other.square()).sum();
        const [gx, gb] = grad(loss, [x, bad]);
        return { chosen, other, gx, gb };
      },
      [["N"], ["N"]],
      [
        [1, 2],
        [poison, poison],
      ],
      precision,
    );
    expect(result).toEqual({ chosen: [2, 4], other: [2, 4], gx: [2 + 8, 2 + 16], gb: [0, 0] });
  });

  test("a safe argument inside `where` keeps an infinite derivative out of the gradient", async () => {
    const { value, slope } = await at(
      (x) => {
        const inside = x.greater(0);
        return inside.where(inside.where(x, 1).log(), 0);
      },
      [0, -1, 2],
    );
    expect(value).toEqual([0, 0, round(Math.LN2)]);
    expect(slope).toEqual([0, 0, 0.5]);
  });

  test("power at 0 and of negative numbers", async () => {
    expect(await at((x) => x.power(2), [0, -3])).toEqual({ value: [0, 9], slope: [0, -6] });
    expect(await at((x) => x.power(1), [0, -3])).toEqual({ value: [0, -3], slope: [1, 1] });
    expect(await at((x) => x.power(0.5), [0])).toEqual({ value: [0], slope: [INFINITY] });
  });
});

test("logsumexp does not overflow for the largest numbers of float64", async () => {
  const x = [MAX_VALUE, MAX_VALUE, -MAX_VALUE, -MAX_VALUE, 1e200, 2e200];
  const { value } = await run((x) => ({ value: x.logsumexp(1) }), [["N", 2]], [x]);
  expect(value).toEqual([MAX_VALUE, -MAX_VALUE, 2e200]);
});

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
