import { describe, expect, test, vi } from "vitest";
import { Actnorm, Chain, LULinear, Permutation, Standardize, Tails } from "../../src/bijections/index.ts";
import { StandardNormal, Uniform } from "../../src/distributions/index.ts";
import { Flow, maf, nsf, realNVP } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { input } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { buildFlow } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { flowCases } from "./cases.ts";
import { trained } from "./trained.ts";

const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));

const flow = trained(nsf(3, { transforms: 2, hidden: [8] }));
const conditional = trained(maf(2, { context: 3, transforms: 2, hidden: [8], activation: "tanh" }));

describe("rows", () => {
  const x = normal(3 * 5000);

  test.each([0, 1, 1023, 1024, 1025, 5000])(
    "in calls with %d rows have the same results as in separate calls",
    async (rows) => {
      for (const [precision, tolerance] of [
        ["float64", 1e-12],
        ["float32", 1e-5],
      ] as const) {
        const all = await flow.logProb(x.subarray(0, 3 * rows), undefined, { precision });
        expect(all.length).toBe(rows);
        for (const row of new Set([0, 1, 511, 1022, 1023, 1024, 2048, rows - 1])) {
          if (row < 0 || row >= rows) continue;
          const single = await flow.logProb(x.subarray(3 * row, 3 * row + 3), undefined, { precision });
          expectClose(single, [all[row]], tolerance, `row ${row}`);
        }
      }
    },
  );

  test("may be any array of numbers, in both precisions", async () => {
    const rows = [0.5, -1, 2, 1, 1, 0];
    const expected = await flow.logProb(Float64Array.from(rows), undefined, { precision: "float64" });
    expectClose(await flow.logProb(rows, undefined, { precision: "float64" }), expected, 0, "a list");
    expectClose(await flow.logProb(Float32Array.from(rows)), expected, 1e-5, "float32");
  });

  test("in concurrent calls have the same results as in sequential calls", async () => {
    const parts = [x.subarray(0, 3000), x.subarray(3000, 6030), x.subarray(0, 300)];
    const concurrent = await Promise.all(parts.map((part) => flow.logProb(part)));
    for (const [i, part] of parts.entries()) expect(concurrent[i]).toEqual(await flow.logProb(part));
  });

  test("are mapped to latents and back", async () => {
    const z = await flow.toLatent(x, undefined, { precision: "float64" });
    expectClose(await flow.toData(z, undefined, { precision: "float64" }), x, 1e-9, "x");
  });
});

describe("samples", () => {
  test.each(["float32", "float64"] as const)(
    "of a seed are the same bytes, first ten first, in %s",
    async (precision) => {
      const hundred = await flow.sample(100, { seed: 5, precision });
      expect(await flow.sample(100, { seed: 5, precision })).toEqual(hundred);
      expectClose(
        await flow.sample(10, { seed: 5, precision }),
        hundred.subarray(0, 30),
        1e-6,
        "the first ten",
      );
      expectClose(
        await flow.sample(5, { seed: 5, start: 20, precision }),
        hundred.subarray(60, 75),
        1e-6,
        "row 20 on",
      );
      expect(await flow.sample(100, { seed: 6, precision })).not.toEqual(hundred);
      expect((await flow.sample(0, { precision })).length).toBe(0);
    },
  );

  test.each(
    (["float32", "float64"] as const).flatMap((precision) =>
      [1, 3].map((threads) => ({ precision, threads })),
    ),
  )("are made of the same noise on $threads threads in $precision", async ({ precision, threads }) => {
    const [n, start, features] = [4001, 7, 3];
    const options = { seed: 4, start, precision, threads };
    const Type = precision === "float32" ? Float32Array : Float64Array;
    const random = new Random(4).split("sample").split(0);
    for (const [base, kind] of [
      [new StandardNormal({ features }), "normal"],
      [new Uniform({ features, low: 0, high: 1 }), "uniform"],
    ] as const) {
      const noise = random[kind](new Type(n * features), { offset: start * features });
      expect(await new Flow(base).sample(n, options)).toEqual(Float64Array.from(noise));
    }
  });

  test("of any seed, number, start and context use one compiled graph", async () => {
    const graphs = vi.spyOn(ShardedFunction, "create");
    for (const [n, seed, start] of [
      [10, 1, 0],
      [100, 2, 10],
      [128, 3, 1],
    ])
      await conditional.sample(n, { seed, start, context: [seed, 0, 0] });
    expect(graphs).toHaveBeenCalledTimes(1);
    graphs.mockRestore();
  });

  test.each(flowCases([3]))("of $name have the log-density that is returned with them", async (example) => {
    const own = example.trained();
    const context = example.context > 0 ? normal(1100 * example.context, 4) : undefined;
    const { samples, logProb } = await own.sampleAndLogProb(1100, { precision: "float64", context });
    expectClose(await own.logProb(samples, context, { precision: "float64" }), logProb, 1e-8, "log-density");
    const single = await own.sampleAndLogProb(1100, { context });
    expectClose(single.samples, samples, 2e-3, "samples in float32");
  });
});

describe("context", () => {
  test.each(flowCases([1, 3]).filter(({ context }) => context > 0))("changes $name", async (example) => {
    const own = example.trained();
    const x = normal(example.features);
    const at = async (context: number[]) => (await own.logProb(x, context, { precision: "float64" }))[0];
    const [a, b, c] = [await at([0, 0]), await at([1, 0]), await at([0, 1])];
    expect(Math.abs(a - b)).toBeGreaterThan(1e-4);
    expect(Math.abs(a - c)).toBeGreaterThan(1e-4);
    const draws = await Promise.all(
      [
        [0, 0],
        [1, 0],
      ].map((context) => own.sample(50, { context })),
    );
    expect(draws[0]).not.toEqual(draws[1]);
  });

  test("of one row applies to all rows", async () => {
    const x = normal(2 * 1500);
    const row = [0.3, -1, 2];
    const repeated = new Float64Array(3 * 1500).map((_, i) => row[i % 3]);
    expect(await conditional.logProb(x, row)).toEqual(await conditional.logProb(x, repeated));
    expect(await conditional.sample(1500, { context: row })).toEqual(
      await conditional.sample(1500, { context: repeated }),
    );
  });
});

describe("throws for invalid", () => {
  test("numbers", async () => {
    await expect(flow.logProb([1, 2, 3, 4])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of x is not a multiple of the row length: expected a multiple of 3, received 4.]`,
    );
    await expect(flow.toData([1])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of z is not a multiple of the row length: expected a multiple of 3, received 1.]`,
    );
    await expect(flow.sample(1.5)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of samples is not valid: expected 0, 1, 2, ..., received 1.5.]`,
    );
    for (const start of [-1, 0.5])
      await expect(flow.sample(2, { start })).rejects.toThrow(
        `the option start of sample has an invalid value: expected 0, 1, 2, ..., received ${start}`,
      );
    await expect(flow.sample(-1)).rejects.toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    await expect(flow.sample(4e9)).rejects.toThrow(
      "the results do not fit in memory: received 4000000000 rows with 3 numbers each.",
    );
  });

  test("a context", async () => {
    await expect(conditional.logProb([1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow needs a context: expected 3 features per row, received none.
      Give one row of context for all rows, or one for each: logProb(rows, context), or flow.withContext(context).]
    `,
    );
    await expect(conditional.sample(2)).rejects.toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    await expect(conditional.logProb([1, 2, 3, 4], [1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of the context is not a multiple of the row length: expected a multiple of 3, received 2.]`,
    );
    await expect(flow.logProb([1, 2, 3], [1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow is not conditional: expected no context, received an array of 2.
      Leave the context out, or build a conditional flow: nsf(features, { context: 2 }).]
    `,
    );
  });

  test("tensors", () => {
    const x = input("x", ["N", 2]);
    expect(() => conditional.logProb(x)).toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow needs a context: expected 3 features per row, received none.
      Give one row of context for all rows, or one for each: logProb(rows, context), or flow.withContext(context).]
    `,
    );
    expect(() => conditional.logProb(x, input("c", ["N", 2]))).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the context has a wrong shape: expected 3 features per row, received [N, 2].]`,
    );
    expect(() => flow.logProb(x)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the rows have a wrong shape for the flow: expected [N, 3], received [N, 2].]`,
    );
    expect(() => flow.sample([x])).toThrow(expect.objectContaining({ code: "SHAPE" }));
    expect(() => flow.logProb(input("x", ["N", 3]), x)).toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow is not conditional: expected no context, received [N, 2].
      Leave the context out, or build a conditional flow: nsf(features, { context: 2 }).]
    `,
    );
  });

  test("parts", () => {
    const build = () => new Flow(new StandardNormal({ features: 3 }), new Tails({ features: 2 }));
    expect(build).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the base distribution and the bijection have different numbers of features: expected 2 features, received 3.]`,
    );
  });

  test("descriptions", () => {
    const base = { type: "standardNormal", features: 2 };
    const coupling = { type: "coupling", mask: [true, false], network: { hidden: [8], dropout: 0.1 } };
    const chain = { type: "chain", bijections: [{ type: "tails", features: 2 }, coupling] };
    expect(() => buildFlow({ base, bijection: chain })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a flow is not valid at bijection.bijections.1.network: expected one of hidden, activation, residual, received dropout.]`,
    );
    expect(() => buildFlow({ base: { type: "normal" }, bijection: coupling })).toThrow(
      /^a flow is not valid at base\.type: expected one of .*"cauchy", .*, received "normal"\.$/,
    );
    expect(() => buildFlow({ base } as never)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a flow is not valid at bijection: expected an object, received nothing.]`,
    );
  });
});

test("a change of parameters between two calls is detected in all cases", async () => {
  const actnorm = new Actnorm({ features: 1 });
  const shifted = new Flow(new StandardNormal({ features: 1 }), actnorm);
  const { shift } = actnorm;
  const expectShift = async (expected: number) =>
    expect(await shifted.toData([0])).toEqual(Float64Array.of(expected));
  await expectShift(0);
  const lent = shift.value;
  await expectShift(0);
  lent[0] = 1;
  await expectShift(1);
  shift.value[0] = 2;
  await expectShift(2);
  const own = Float64Array.of(3);
  shift.value = own;
  await expectShift(3);
  own[0] = 4;
  await expectShift(4);
  shift.take(Float64Array.of(5));
  await expectShift(5);
  shift.value[0] = 6;
  await expectShift(6);
  await fit(shifted, normal(40), { epochs: 1 });
  await expectShift(shift.numbers[0]);
  expect(shift.numbers[0]).not.toBe(6);
});

describe("Standardize next to the data", () => {
  const tables = trained(forTables(realNVP(2, { transforms: 2, hidden: [8] })));
  const { inner, standardize } = tables.unstandardized();
  standardize!.center.value.set([1.7e9, -3]);
  standardize!.scale.value.set([1000, 0.01]);

  test("is applied in float64, so that columns far from 0 lose no precision", async () => {
    const z = normal(200);
    const x = standardize!.toData(z);
    const single = await tables.logProb(x);
    expectClose(single, await tables.logProb(x, undefined, { precision: "float64" }), 1e-5, "log-density");
    expectClose(await tables.toData(await tables.toLatent(x)), x, 1e-6, "x");
    const logScale = Math.log(1000) + Math.log(0.01);
    expectClose(
      single,
      (await inner.logProb(z)).map((v) => v - logScale),
      1e-5,
      "change of scale",
    );
  });

  test("has the same results as in the graph", async () => {
    const x = standardize!.toData(normal(200));
    const graph = compile((x) => tables.logProb(x), [["N", 2]], { precision: "float64" });
    expectClose(
      await tables.logProb(x, undefined, { precision: "float64" }),
      await graph(x),
      1e-9,
      "log-density",
    );
    const { samples, logProb } = await tables.sampleAndLogProb(200, { precision: "float64" });
    expectClose(logProb, await graph(samples), 1e-9, "log-density of samples");
  });

  test("may be the only bijection of a flow", async () => {
    const single = new Flow(new StandardNormal({ features: 1 }), new Standardize({ features: 1 }));
    const inChain = new Flow(
      new StandardNormal({ features: 1 }),
      new Chain([new Standardize({ features: 1 })]),
    );
    expect(await single.logProb([0.5])).toEqual(await inChain.logProb([0.5]));
  });
});

describe("a base with bounds", () => {
  const bounded = trained(
    new Flow(
      new Uniform({ features: 2, low: -1, high: 1 }),
      new Chain([new LULinear({ features: 2 }), new Permutation({ order: [1, 0] })]),
    ),
    0.1,
  );

  test("has the log-density -Infinity outside with finite gradients", async () => {
    const parameters = [...bounded.parameters().values()];
    const run = compile(
      (x) => {
        const density = bounded.logProb(x);
        return [density, ...grad(density.sum(), [x, ...parameters])];
      },
      [["N", 2]],
    );
    const [density, ...gradients] = await run([0.1, 0.2, 3, 0, 1e30, 0]);
    expect(Number.isFinite(density[0])).toBe(true);
    expect([...density.subarray(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect([...gradients[0]].every((g) => g === 0)).toBe(true);
    for (const gradient of gradients) expect([...gradient].every(Number.isFinite)).toBe(true);
  });
});
