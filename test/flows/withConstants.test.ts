import { describe, expect, test } from "vitest";
import { Chain, Standardize } from "../../src/bijections/index.ts";
import { ContextEmbedding, DiagonalNormal, StandardNormal } from "../../src/distributions/index.ts";
import { embedContext, Flow, maf, mixtureFlow, nsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { ConstantFeatures } from "../../src/tables/densities/index.ts";
import { forTables, withConstants } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const FAR = 1.7e9 + 0.123;
const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));

function inner(context = 0): Flow {
  const flow = forTables(nsf(2, { transforms: 1, hidden: [8], context }));
  perturb(flow.parameters(), 0.2);
  flow.unstandardized().standardize!.center.value.set([3e8, -2]);
  flow.unstandardized().standardize!.scale.value.set([10, 0.5]);
  return flow;
}

const constants = new Map([
  [1, FAR],
  [3, 0.1],
]);
const pairs = normal(200).map((v, i) => (i % 2 === 0 ? 3e8 + 10 * v : 0.5 * v - 2));
/** Pairs as rows (x, FAR, y, 0.1). */
const rowsOf = (values: Float64Array) =>
  Float64Array.from({ length: 2 * values.length }, (_, i) => {
    const [row, column] = [Math.floor(i / 4), i % 4];
    return constants.get(column) ?? values[2 * row + column / 2];
  });

describe("withConstants", () => {
  const own = inner();
  const flow = withConstants(own, constants);

  test("adds exactly 0 to log-densities", async () => {
    expect(await flow.logProb(rowsOf(pairs))).toEqual(await own.logProb(pairs));
  });

  test.each([
    [FAR + 2 ** -22, 0.1],
    [FAR - 2 ** -22, 0.1],
    [FAR, 0.1 + 2 ** -56],
    [0, 0.1],
    [FAR, -1e300],
  ])("gives rows with other values, %d and %d, the log-density -Infinity", async (first, second) => {
    expect(await flow.logProb([3e8, first, -2, second])).toEqual(Float64Array.of(Number.NEGATIVE_INFINITY));
    const bad = [3e8, first, Number.NaN, second];
    const symbolic = compile((x) => flow.logProb(x), [["N", 4]], { precision: "float64" });
    expect((await symbolic(bad))[0]).toBeNaN();
  });

  test("has exact constants in samples, whose other features are those of the flow", async () => {
    const { samples, logProb } = await flow.sampleAndLogProb(100, { seed: 3 });
    const expected = await own.sampleAndLogProb(100, { seed: 3 });
    expect(samples).toEqual(rowsOf(expected.samples));
    expectClose(logProb, expected.logProb, 1e-5, "log-density");
  });

  test("is saved in a model file", async () => {
    const bytes = encodeModel({ flow, columns: ["a", "b", "c", "d"], given: [] });
    const reread = (await decodeModel(bytes)).flow;
    expect(await reread.logProb(rowsOf(pairs))).toEqual(await own.logProb(pairs));
    expect((await reread.sample(1))[1]).toBe(FAR);
  });

  test("has the same results in a float64 graph", async () => {
    const graph = compile((x) => flow.logProb(x), [["N", 4]], { precision: "float64" });
    const [near, off] = await graph([3e8, FAR, -2, 0.1, 3e8, FAR, -2, 0.2]);
    expect(near).toBeCloseTo((await own.logProb([3e8, -2], undefined, { precision: "float64" }))[0], 9);
    expect(off).toBe(Number.NEGATIVE_INFINITY);
  });

  test("works with a context and its embedding", async () => {
    const conditional = inner(1);
    const context = normal(100, 4);
    const rows = await withConstants(conditional, constants).logProb(rowsOf(pairs), context);
    expect(rows).toEqual(await conditional.logProb(pairs, context));
    const embedding = new ContextEmbedding({ numbers: 1, classes: [3] });
    const embedded = forTables(embedContext(maf(2, { context: 4, hidden: [8] }), embedding));
    perturb(embedded.parameters(), 0.2);
    const whole = withConstants(embedded, constants);
    expect(whole.embedding).toBe(embedding);
    const labels = Float64Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? context[i / 2] : i % 3));
    expect(await whole.logProb(rowsOf(pairs), labels)).toEqual(await embedded.logProb(pairs, labels));
  });

  test("allows different constants in the components of a mixture", async () => {
    const other = new Map([
      [1, FAR],
      [3, 0.2],
    ]);
    const both = mixtureFlow([flow, withConstants(own, other)]);
    const [first, second, neither] = await both.logProb(
      [0.1, 0.2, 0.3].flatMap((value) => [3e8, FAR, -2, value]),
    );
    const expected = (await own.logProb([3e8, -2]))[0] + Math.log(0.5);
    expect(first).toBeCloseTo(expected, 5);
    expect(second).toBeCloseTo(expected, 5);
    expect(neither).toBe(Number.NEGATIVE_INFINITY);
  });

  test("returns the flow without constants", () => {
    expect(withConstants(own, new Map())).toBe(own);
  });
});

describe("ConstantFeatures", () => {
  const base = () =>
    new ConstantFeatures(forTables(maf(2, { transforms: 1, hidden: [8] })), { constant: [1] });

  test("is fitted under a standardization like other flows", async () => {
    const flow = new Flow(base(), new Standardize({ features: 3 }));
    const x = Float64Array.from({ length: 1200 }, (_, i) =>
      i % 3 === 1 ? FAR : (i % 3) * FAR + normal(1, i)[0],
    );
    const { validationLogDensity } = await fit(flow, x, { epochs: 3 });
    const truth = -Math.log(2 * Math.PI * Math.E);
    expect(Math.abs(validationLogDensity - truth)).toBeLessThan(4 / Math.sqrt(40));
    expect((await flow.sample(5)).filter((_, i) => i % 3 === 1)).toEqual(new Float64Array(5).fill(FAR));
    x[301] += 1e-6;
    await expect(fit(flow, x, { initialize: false })).rejects.toThrow(
      "row 100 lies outside of the support of base",
    );
  });

  test("throws for indices that are not features", () => {
    const others = new StandardNormal({ features: 2 });
    expect(() => new ConstantFeatures(others, { constant: [3] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the index of a constant feature is out of range: expected indices from 0 to 2, received 3.]`,
    );
    for (const constant of [[], [1, 0], [1, 1], [-1], [0.5]]) {
      expect(() => new ConstantFeatures(others, { constant })).toThrow(
        expect.objectContaining({ code: "ARGUMENT" }),
      );
    }
  });

  test("passes the context on", async () => {
    const conditional = new DiagonalNormal({ features: 1, context: 1, network: { hidden: [4] } });
    perturb(new Map([["mean", conditional.mean]]), 1);
    const flow = new Flow(
      new ConstantFeatures(conditional, { constant: [0] }),
      new Chain([new Standardize({ features: 2 })]),
    );
    expect(flow.context).toBe(1);
    const varyingOnly = await new Flow(conditional).logProb([0.3], [2]);
    expect((await flow.logProb([0, 0.3], [2]))[0]).toBeCloseTo(varyingOnly[0], 6);
  });
});
