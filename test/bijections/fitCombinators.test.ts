import { describe, expect, test } from "vitest";
import {
  Actnorm,
  Autoregressive,
  BatchNorm,
  type Bijection,
  buildBijection,
  Chain,
  Exp,
  Invert,
  Permutation,
  Power,
  Sigmoid,
  Standardize,
  StandardizeContext,
} from "../../src/bijections/index.ts";
import { mappedSupport } from "../../src/bijections/support.ts";
import { StandardNormal, Uniform } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";

const D = 3;
const ROWS = 500;
const context = new Random(2).normal(new Float64Array(ROWS)).map((v) => 40 + 5 * v);
const values = new Random(1)
  .normal(new Float64Array(ROWS * D))
  .map((v, i) => 10 * (i % D) + (1 + (i % D)) * v);

const fittedBijections: [string, () => Bijection][] = [
  ["actnorm", () => new Actnorm({ features: D })],
  ["a standardization", () => new Standardize({ features: D })],
  ["batch normalization", () => new BatchNorm({ features: D })],
];
const combinators: [string, (bijection: Bijection) => Bijection][] = [
  ["itself", (bijection) => bijection],
  [
    "a nested chain",
    (bijection) => new Chain([new Chain([new Permutation({ order: [2, 0, 1] }), new Chain([bijection])])]),
  ],
  ["an inverse", (bijection) => new Invert(bijection)],
  [
    "the inverse of a chain",
    (bijection) => new Invert(new Chain([bijection, new Permutation({ order: [2, 0, 1] })])),
  ],
  [
    "an inverse inside a chain",
    (bijection) => new Chain([new Invert(new Chain([bijection])), new Permutation({ order: [1, 0, 2] })]),
  ],
  ["the inverse of an inverse", (bijection) => new Invert(new Invert(bijection))],
];

describe.each(combinators)("in %s", (_, wrap) => {
  test.each(fittedBijections)(
    "%s is fitted such that z has mean 0 and standard deviation 1",
    async (_, make) => {
      const flow = new Flow(new StandardNormal({ features: D }), wrap(make()));
      await flow.fitToData!({ rows: ROWS, features: D, values });
      const z = await flow.toLatent(values, undefined, { precision: "float64" });
      for (let c = 0; c < D; c++) {
        const column = z.filter((_, i) => i % D === c);
        const mean = column.reduce((a, b) => a + b) / ROWS;
        expect(Math.abs(mean)).toBeLessThan(0.05);
        expect(Math.abs(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / ROWS - 1)).toBeLessThan(0.1);
      }
    },
  );
});

test("the second of two bijections in an inverse is fitted to the output of the first", async () => {
  const [first, second] = [new Actnorm({ features: D }), new Actnorm({ features: D })];
  await new Invert(new Chain([first, second])).fitToData!({ rows: ROWS, features: D, values });
  expect(first.logScale.numbers[2]).toBeLessThan(-0.9);
  for (const number of [...second.shift.numbers, ...second.logScale.numbers])
    expect(Math.abs(number)).toBeLessThan(1e-5);
});

test("a bijection in a chain is fitted with the standardized context, also if it is inverted", async () => {
  class Recording extends Actnorm {
    override readonly context = 1 as never;
    receivedContext: Float64Array | undefined;
    override fitToData(rows: Parameters<Actnorm["fitToData"]>[0]) {
      this.receivedContext = rows.context;
    }
    override fitToLatent(rows: Parameters<Actnorm["fitToData"]>[0]) {
      this.receivedContext = rows.context;
    }
  }
  for (const wrap of [(b: Bijection) => b, (b: Bijection) => new Invert(b)]) {
    const inner = new Recording({ features: D });
    await new StandardizeContext(wrap(new Chain([inner]))).fitToData({
      rows: ROWS,
      features: D,
      values,
      context,
    });
    expect(Math.abs(inner.receivedContext!.reduce((a, b) => a + b) / ROWS)).toBeLessThan(0.05);
  }
});

test("fitToData is undefined if no part is fitted to data", () => {
  const maps = [new Permutation({ order: [1, 0] }), new Autoregressive({ order: [0, 1] }, new Random(0))];
  expect(new Chain(maps).fitToData).toBeUndefined();
  expect(new Invert(new Chain(maps)).fitToData).toBeUndefined();
  expect(new Flow(new StandardNormal({ features: 2 }), new Chain(maps)).fitToData).toBeUndefined();
});

test("a chain has the support of its last bijection, or the image of that of the first one with a support", () => {
  const [exp, permutation] = [
    { type: "exp", features: 2 },
    { type: "permutation", order: [1, 0] },
  ].map((each) => buildBijection(each as Description, new Random(0)));
  expect(new Chain([permutation, exp]).support).toBe("positive");
  expect(new Chain([exp, permutation]).support).toEqual(mappedSupport("positive"));
  expect(new Chain([permutation]).support).toBeUndefined();
  const sigmoid = new Sigmoid({ features: 2 });
  expect(new Chain([sigmoid, exp]).support).toEqual(mappedSupport({ min: 0, max: 1 }));
  expect(new Chain([sigmoid, exp, permutation, exp]).support).toEqual(mappedSupport({ min: 0, max: 1 }));
  // Power maps all positive numbers onto all positive numbers.
  expect(new Chain([exp, new Power({ features: 2 })]).support).toBe("positive");
  // A base with a support is like a first bijection.
  expect(new Flow(new Uniform({ features: 2 }), exp).support).toEqual(mappedSupport({ min: 0, max: 1 }));
  expect(new Flow(new StandardNormal({ features: 2 }), exp).support).toBe("positive");
});

test("the support of an inverse is the domain of the bijection, outside of which the log-determinant is -Infinity", async () => {
  const root = new Invert(new Power({ features: 2, exponent: 2 }));
  expect(root.support).toBe("positive");
  expect(new Chain([new Exp({ features: 2 }), root]).support).toBe("positive");
  expect(new Invert(new Chain([root, new Permutation({ order: [1, 0] })])).support).toBe("positive");
  expect(new Invert(new Exp({ features: 2 })).support).toBeUndefined();
  const [inside, outside] = await compile((x) => root.inverse(x).logDet, [["N", 2]])([1, 0.5, 1, -0.5]);
  expect(inside).toBeCloseTo(Math.log(2));
  expect(outside).toBe(Number.NEGATIVE_INFINITY);
});
