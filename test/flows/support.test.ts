import { describe, expect, test } from "vitest";
import { Autoregressive, Chain, Exp, Sigmoid } from "../../src/bijections/index.ts";
import { StandardNormal, Uniform } from "../../src/distributions/index.ts";
import { Flow, maf, nsf } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { fit } from "../../src/train/index.ts";

const layersOf = (flow: Flow) => (flow.bijection as Chain).bijections;
const small = { transforms: 1, hidden: [8] };
const positive = (features: number) =>
  new Flow(maf(features).base, new Chain([...layersOf(maf(features, small)), new Exp({ features })]));
/** Log-normal rows with a dependence. */
const rows = (count: number) => {
  const z = new Random(1).normal(new Float64Array(2 * count));
  return z.map((v, i) => Math.exp(i % 2 === 0 ? v : 1 + 0.5 * v + 0.5 * z[i - 1]));
};
const options = { epochs: 30, batchSize: 128, seed: 1 };

describe("a flow with a bounded support", () => {
  test("can be fitted, and has the log-density -Infinity with gradient 0 outside", async () => {
    const flow = positive(2);
    const data = rows(2000);
    const before = (await flow.logProb(data)).reduce((a, b) => a + b) / 2000;
    const { validationLogDensity } = await fit(flow, data, options);
    // The best possible value: the entropies of the two normals, minus the mean logarithms of the rows.
    const best = -(2 * 0.5 * Math.log(2 * Math.PI * Math.E) + Math.log(0.5)) - 1;
    expect(before).toBeLessThan(best - 0.4);
    expect(Math.abs(validationLogDensity - best)).toBeLessThan(0.25);
    const density = await flow.logProb([1, 2, 0, 1, 1, -3]);
    expect(Array.from(density, (v) => Number.isFinite(v))).toEqual([true, false, false]);
    expect([...density.slice(1)]).toEqual([-Infinity, -Infinity]);
    const symbolic = compile((x) => flow.logProb(x), [["N", 2]]);
    expect(await symbolic([1, Number.NaN])).toEqual(Float32Array.of(Number.NaN));
    const slope = await compile((x) => grad(flow.logProb(x).sum(), [x])[0], [["N", 2]])([0, 1, 1, -3]);
    expect([...slope].every((v) => v === 0)).toBe(true);
    const { samples, logProb } = await flow.sampleAndLogProb(200);
    expect(samples.every((v) => v > 0)).toBe(true);
    expect(logProb.every(Number.isFinite)).toBe(true);
  });

  test("throws for a training row outside, and names it", async () => {
    const data = rows(200);
    data[2 * 77 + 1] = -4;
    const { values, ...error } = await caught(() => fit(positive(2), data, options));
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "DATA",
        "message": "row 77 lies outside of the support of bijection.bijections.1: expected x > 0, received ....
      Remove such rows, or choose a flow whose support contains them.",
      }
    `);
    expect(values).toEqual([data[2 * 77], -4]);
  });

  test("throws for a validation row outside, and names it", async () => {
    const validation = [1, 2, 3, 4, 0, 1];
    const { values, ...error } = await caught(() => fit(positive(2), rows(200), { ...options, validation }));
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "DATA",
        "message": "row 2 lies outside of the support of bijection.bijections.1: expected x > 0, received ....
      Remove such rows, or choose a flow whose support contains them.",
      }
    `);
    expect(values).toEqual([0, 1]);
  });

  test("throws for a row outside of a box of splines, and names it", async () => {
    const base = new Uniform({ features: 2, low: -1, high: 1 });
    const spline = { type: "rationalQuadraticSpline", bins: 4, bound: 1, tails: "none" } as const;
    const layer = new Autoregressive(
      { order: [0, 1], transform: spline, network: { hidden: [8] } },
      new Random(0),
    );
    const flow = new Flow(base, new Chain([layer]));
    const data = new Random(2).uniform(new Float64Array(400)).map((u) => 2 * u - 1);
    data[9] = 1.5;
    const { values, ...error } = await caught(() => fit(flow, data, options));
    expect(error).toMatchInlineSnapshot(`
      {
        "code": "DATA",
        "message": "row 4 lies outside of the support of bijection.bijections.0: expected a row of positive density, received ....
      Remove such rows, or choose a flow whose support contains them.",
      }
    `);
    expect(values[1]).toBe(1.5);
    const [outside, corner] = await flow.logProb([0.3, 1.5, 1, -1]);
    expect(outside).toBe(-Infinity);
    expect(corner).toBeCloseTo(-Math.log(4), 6);
  });
});

describe("forTables", () => {
  test("keeps bijections onto a support next to the data", () => {
    const types = (flow: Flow) => layersOf(flow).map((part) => part.describe().type);
    expect(types(forTables(positive(2)))).toEqual(["autoregressive", "tails", "standardize", "exp"]);
    const bare = new Flow(new StandardNormal({ features: 2 }), new Sigmoid({ features: 2 }));
    expect(types(forTables(bare))).toEqual(["tails", "standardize", "sigmoid"]);
    const conditional = nsf(2, { ...small, context: 1 });
    const both = new Flow(conditional.base, new Chain([...layersOf(conditional), new Exp({ features: 2 })]));
    expect(types(forTables(both))).toEqual(["standardizeContext", "tails", "standardize", "exp"]);
    expect(types(forTables(conditional))).toEqual(["standardizeContext", "tails", "standardize"]);
  });

  test("standardizes before the map onto the support, and can be fitted", async () => {
    const flow = forTables(positive(2));
    await fit(flow, rows(500), { ...options, epochs: 1 });
    const { center, scale } = layersOf(flow)[2] as unknown as Record<string, { value: Float64Array }>;
    expect(Math.abs(center.value[1] - 1)).toBeLessThan(0.1);
    expect(Math.abs(scale.value[0] - 1)).toBeLessThan(0.15);
    expect((await flow.logProb([1, -1]))[0]).toBe(-Infinity);
  });
});

async function caught(run: () => Promise<unknown>) {
  try {
    await run();
  } catch (error) {
    const { code, message, received } = error as { code: string; message: string; received: string };
    return { code, message: message.replace(received, "..."), values: received.split(", ").map(Number) };
  }
  throw new Error("nothing was thrown");
}
