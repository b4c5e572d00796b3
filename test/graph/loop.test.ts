import { expect, test } from "vitest";
import {
  concat,
  epsilon,
  filled,
  grad,
  loop,
  Parameter,
  scalar,
  type Tensor,
  withGradient,
} from "../../src/graph/index.ts";
import { ancestors } from "../../src/graph/traversal.ts";
import { compile } from "../../src/runtime/index.ts";

test("a loop repeats its step while `proceed` is true", async () => {
  // Collatz: the number of halvings and triplings until 1, for all rows at once.
  const collatz = (x: Tensor) => {
    const [, steps] = loop(
      [x, filled(0, x.shape)],
      ([x, steps]) => {
        const half = x.mul(0.5);
        const odd = half.floor().less(half);
        const done = x.lessEqual(1);
        const next = odd.where(x.mul(3).add(1), half);
        return {
          state: [done.where(x, next), done.where(steps, steps.add(1))],
          proceed: done.not().toFloat().max().greater(0),
        };
      },
      { maxIterations: 1000 },
    );
    return steps;
  };
  const run = compile(collatz, [["N"]]);
  expect([...(await run([1, 2, 3, 7, 27]))]).toEqual([0, 1, 7, 16, 111]);
});

test("a loop ends after `maxIterations`, and its step reads the current values of inputs and parameters", async () => {
  const rate = new Parameter([], [2]);
  const run = compile(
    (x, shift) =>
      loop([x], ([x]) => ({ state: [x.mul(rate.square()).add(shift)], proceed: scalar(0).equal(0) }), {
        maxIterations: 3,
      })[0],
    [["N", 2], [2]],
    { precision: "float64" },
  );
  expect([...(await run([1, 2], [0, 1]))]).toEqual([64, 149]);
  rate.value = new Float64Array([1]);
  expect([...(await run([1, 2, 5, 6], [0, 1]))]).toEqual([1, 5, 5, 9]);
});

test.each([undefined, 3])(
  "a loop can contain a loop, which knows the number of rows (batch %s)",
  async (batch) => {
    const addRows = (x: Tensor) =>
      loop(
        [x],
        ([x]) => {
          const [inner] = loop(
            [x],
            ([y]) => ({
              state: [concat([y, filled(1, x.shape)], 1).sum(1, { keepAxes: true })],
              proceed: y.max().less(8),
            }),
            { maxIterations: 4 },
          );
          return { state: [inner], proceed: inner.max().less(20) };
        },
        { maxIterations: 5 },
      )[0];
    const run = compile((x) => addRows(x).add(filled(1, x.shape)), [["N", 1]], { batch });
    expect([...(await run([0, 1, 2]))]).toEqual([11, 12, 13]);
  },
);

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, undefined])(
  "`maxIterations: %s` is an error",
  (maxIterations) => {
    const step = ([x]: readonly Tensor[]) => ({ state: [x], proceed: scalar(0).equal(1) });
    expect(() => loop([scalar(1)], step, { maxIterations: maxIterations as number })).toThrow(
      expect.objectContaining({
        code: "ARGUMENT",
        message: expect.stringMatching(
          /^the option maxIterations of loop has an invalid value: expected 1, 2, 3, \.\.\., received /,
        ),
      }),
    );
  },
);

test("withGradient replaces the gradient of a value", async () => {
  const run = compile(
    (x) => {
      const y = withGradient(x.square(), [x], (g) => [g.mul(10)]);
      return { y, gradient: grad(y.mul(3).sum(), [x])[0] };
    },
    [["N"]],
  );
  const { y, gradient } = await run([1, 2, 3]);
  expect([...y]).toEqual([1, 4, 9]);
  expect([...gradient]).toEqual([30, 30, 30]);
});

test("differentiating the result of a loop throws an error, unless stopGradient is used", () => {
  const x = new Parameter([2], [1, 2]);
  const [y] = loop([x], ([y]) => ({ state: [y.square()], proceed: scalar(0).equal(1) }), {
    maxIterations: 2,
  });
  expect(() => grad(y.sum(), [x])).toThrow(/the result of a loop cannot be differentiated.*\n.*withGradient/);
  expect(grad(y.stopGradient().mul(x).sum(), [x])[0].shape).toEqual([2]);
});

test("epsilon is that of the precision of the graph", async () => {
  expect((await compile((x) => x.add(epsilon()), [[1]])([0]))[0]).toBe(2 ** -23);
  expect((await compile((x) => x.add(epsilon()), [[1]], { precision: "float64" })([0]))[0]).toBe(2 ** -52);
});

test("the size of a graph grows linearly with the number of loops after each other", () => {
  const chained = (count: number) => {
    let x: Tensor = new Parameter([2], [1, 2]);
    for (let i = 0; i < count; i++) {
      // The product with 1 is simplified, and all tensors that depend on it are built again.
      const before = x;
      [x] = loop([x.mul(1)], ([y]) => ({ state: [y.add(before)], proceed: scalar(0).equal(0) }), {
        maxIterations: 2,
      });
    }
    return ancestors([x]).length;
  };
  expect(chained(20) - chained(10)).toBe(chained(30) - chained(20));
});
