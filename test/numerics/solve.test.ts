import { describe, expect, test } from "vitest";
import { grad, Parameter, solveIncreasing, type Tensor } from "../../src/graph/index.ts";
import { compile, type Floats } from "../../src/runtime/index.ts";

/** Increasing functions that are difficult to invert, with their log-derivatives. */
const functions: Readonly<Record<string, (x: Tensor) => { value: Tensor; logDerivative: Tensor }>> = {
  "nearly a step": (x) => ({
    value: x.mul(1e-3).add(x.mul(100).tanh()),
    logDerivative: x.mul(100).tanh().square().neg().add(1).mul(100).add(1e-3).log(),
  }),
  "flat at its root": (x) => ({
    value: x.power(3).add(x.mul(1e-9)),
    logDerivative: x.square().mul(3).add(1e-9).log(),
  }),
  exponential: (x) => ({ value: x.exp().add(x), logDerivative: x.exp().add(1).log() }),
  "with kinks": (x) => ({
    value: x.greater(0).where(x.mul(5), x.mul(0.2)),
    logDerivative: x.greater(0).where(Math.log(5), Math.log(0.2)),
  }),
};

const TARGETS = [0, 1e-8, -1e-8, 0.3, -0.3, 0.9999, 1, -1, 17, -17, 12345, -1e6];

describe.each(Object.entries(functions))("a function that is %s", (_, f) => {
  test.each([
    ["float64", 1e-12],
    ["float32", 1e-4],
  ] as const)("is solved in %s", async (precision, tolerance) => {
    const run = compile(
      (y) => {
        const { value } = solveIncreasing(f, y);
        return { x: value, back: f(value).value };
      },
      [["N", 1]],
      { precision },
    );
    const targets = TARGETS.filter((y) => precision === "float64" || Math.abs(y) < 1e4);
    const { back } = await run(targets);
    targets.forEach((y, i) => {
      expect(Math.abs(back[i] - y)).toBeLessThan(tolerance * Math.max(1, Math.abs(y)));
    });
    await run.release();
  });
});

test("the solution of a row does not depend on the other rows", async () => {
  const run = compile((y) => solveIncreasing(functions["nearly a step"], y).value, [["N", 1]]);
  const joint = await run(TARGETS);
  for (const [i, y] of TARGETS.entries()) expect((await run([y]))[0]).toBe(joint[i]);
});

test("the result is NaN where there is no solution or y is NaN", async () => {
  const bounded = (x: Tensor) => ({
    value: x.sigmoid(),
    logDerivative: x.sigmoid().mul(x.neg().sigmoid()).log(),
  });
  const run = compile((y) => solveIncreasing(bounded, y).value, [["N", 1]], { precision: "float64" });
  const x = await run([0.5, 1.5, -3, Number.NaN]);
  expect(x[0]).toBeCloseTo(0, 12);
  expect([...x.slice(1)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

type Loss = (x: Tensor, logDerivative: Tensor, inputs: readonly [Tensor, Parameter]) => Tensor;
const first: Loss = (x, logDerivative) => x.sin().add(logDerivative).sum();

test.each<[string, Loss]>([
  ["gradients are those of the implicit function theorem", first],
  [
    "so are second derivatives",
    (x, logDerivative, inputs) => {
      const [dy, da] = grad(first(x, logDerivative, inputs), inputs);
      return dy.square().sum().add(da.square());
    },
  ],
])("%s", async (_, lossOf) => {
  const a = new Parameter([], new Float64Array([1.5]));
  const f = (x: Tensor) => {
    const curve = x.mul(a).tanh();
    return { value: x.add(curve), logDerivative: curve.square().neg().add(1).mul(a).add(1).log() };
  };
  const run = compile(
    (y) => {
      const { value, logDerivative } = solveIncreasing(f, y);
      const loss = lossOf(value, logDerivative, [y, a]);
      const [dy, da] = grad(loss, [y, a]);
      return { loss, dy, da };
    },
    [["N", 1]],
    { precision: "float64" },
  );
  const y = [0.4, -1.2, 2.5];
  const { dy, da } = await run(y);
  const h = 1e-5;
  const slope = (high: Floats, low: Floats) => (high[0] - low[0]) / (2 * h);
  for (const i of y.keys()) {
    const moved = (by: number) => run(y.map((v, j) => (i === j ? v + by : v)));
    expect(dy[i]).toBeCloseTo(slope((await moved(h)).loss, (await moved(-h)).loss), 7);
  }
  const [start] = a.value;
  const at = async (value: number) => {
    a.value = new Float64Array([value]);
    return (await run(y)).loss;
  };
  expect(da[0]).toBeCloseTo(slope(await at(start + h), await at(start - h)), 7);
});
