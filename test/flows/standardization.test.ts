import { describe, expect, test } from "vitest";
import {
  Chain,
  Exp,
  Identity,
  Permutation,
  Standardize,
  StandardizeContext,
} from "../../src/bijections/index.ts";
import {
  ContextEmbedding,
  Ensemble,
  Mixture,
  StandardNormal,
  TransformedDistribution,
} from "../../src/distributions/index.ts";
import { embedContext, Flow, maf, mixtureFlow, nsf } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit, fitDensity, importance } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";

const FAR = 1.7e9;
const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));
const deviation = (values: Float64Array) => {
  const center = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - center) ** 2)));
};
/** log N(x; center, scale) of each row of one column. */
const logNormal = (x: Float64Array, center: number, scale = 1) =>
  x.map((v) => -0.5 * ((v - center) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI));

function standardize(center: number[], scale = center.map(() => 1)): Standardize {
  const result = new Standardize({ features: center.length });
  result.center.value.set(center);
  result.scale.value.set(scale);
  return result;
}

const gaussian = (center: number, scale = 1) =>
  new TransformedDistribution(new StandardNormal({ features: 1 }), standardize([center], [scale]));
const base = new StandardNormal({ features: 1 });
const identity = new Identity({ features: 1 });

/** The density of each flow is N(FAR, 1). */
const trees: Record<string, Flow> = {
  "the whole flow": new Flow(base, standardize([FAR])),
  "a chain of nothing else": new Flow(base, new Chain([standardize([FAR])])),
  "nested chains": new Flow(
    base,
    new Chain([identity, new Chain([identity, new Chain([standardize([FAR]), identity])]), identity]),
  ),
  "the base of an identity": new Flow(gaussian(FAR)),
  "the base of the base": new Flow(new TransformedDistribution(gaussian(FAR), identity)),
  "an ensemble": new Flow(new Ensemble(gaussian(FAR), { variants: 2 })),
  "a mixture": new Flow(new Mixture([gaussian(FAR), new Mixture([gaussian(FAR), gaussian(FAR)])])),
  "before a permutation": new Flow(base, new Chain([standardize([FAR]), new Permutation({ order: [0] })])),
  "two in a row": new Flow(base, new Chain([standardize([FAR - 1e6]), standardize([1e6])])),
  "the base of another": new Flow(gaussian(FAR - 1e6), standardize([1e6])),
};

describe.each(Object.entries(trees))("a column far from 0 keeps its digits in float32: %s", (_, flow) => {
  const x = normal(500).map((v) => FAR + v);

  test("in densities", async () => {
    expectClose(await flow.logProb(x), logNormal(x, FAR), 1e-5, "log-density");
  });

  test("in samples and their densities", async () => {
    const { samples, logProb } = await flow.sampleAndLogProb(2000);
    expect(new Set(samples).size).toBeGreaterThan(1990);
    expect(Math.abs(mean(samples) - FAR)).toBeLessThan(4 / Math.sqrt(2000));
    expect(Math.abs(deviation(samples) - 1)).toBeLessThan(4 / Math.sqrt(4000));
    expectClose(logProb, logNormal(samples, FAR), 1e-5, "log-density");
    expect(await flow.sample(2000)).toEqual(samples);
  });

  test("on the way to latents and back", async () => {
    const z = await flow.toLatent(x);
    expectClose(await flow.toData(z), x, 1e-15, "x");
    expectClose(z, await flow.toLatent(x, undefined, { precision: "float64" }), 1e-6, "z");
  });

  test("and exporting in float32 throws", async () => {
    await expect(flow.exportOnnx()).rejects.toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    expect((await flow.exportOnnx({ precision: "float64" })).length).toBeGreaterThan(0);
  });
});

describe("mixtures of flows with different centers", () => {
  const parts = [
    { center: FAR, scale: 1 },
    { center: FAR + 1000, scale: 30 },
    { center: 5, scale: 0.5 },
  ];
  const flow = mixtureFlow(
    parts.map(({ center, scale }) => new Flow(base, new Chain([identity, standardize([center], [scale])]))),
    { weights: [3, 2, 1] },
  );

  test("have the density of a mixture of Gaussians", async () => {
    for (const [k, { center, scale }] of parts.entries()) {
      const x = normal(300, k).map((v) => center + scale * v);
      const each = parts.map((part, i) =>
        logNormal(x, part.center, part.scale).map((v) => v + Math.log((3 - i) / 6)),
      );
      const truth = x.map((_, row) => Math.log(each.reduce((sum, part) => sum + Math.exp(part[row]), 0)));
      expectClose(await flow.logProb(x), truth, 1e-5, `component ${k}`);
    }
  });

  test("draw samples of each component", async () => {
    const n = 6000;
    const samples = await flow.sample(n);
    for (const [i, { center, scale }] of parts.entries()) {
      const own = samples.filter((x) => Math.abs(x - center) < 10 * scale);
      const share = (3 - i) / 6;
      expect(Math.abs(own.length / n - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / n));
      expect(Math.abs(mean(own) - center) / scale).toBeLessThan(4 / Math.sqrt(own.length));
      expect(Math.abs(deviation(own) / scale - 1)).toBeLessThan(4 / Math.sqrt(2 * own.length));
    }
  });

  test("use parameters that have changed", async () => {
    const [first, second] = [0, 10].map((center) => new Flow(base, standardize([FAR + center])));
    const both = mixtureFlow([first, second]);
    const at = async () => (await both.logProb([FAR + 20]))[0];
    const before = await at();
    (second.bijection as Standardize).center.value[0] = FAR + 20;
    expect(await at()).toBeCloseTo(Math.log(0.5) + logNormal(Float64Array.of(0), 0)[0], 5);
    expect(before).toBeLessThan(-40);
  });
});

describe("flows fitted to columns far from 0", () => {
  /** N(FAR, 1) and N(-3e7, 100), independent. */
  const rows = (seed: number) => normal(4000, seed).map((v, i) => (i % 2 === 0 ? FAR + v : -3e7 + 10 * v));
  const column = (values: Float64Array, c: number) => values.filter((_, i) => i % 2 === c);
  const truth = (values: Float64Array) => {
    const second = logNormal(column(values, 1), -3e7, 10);
    return logNormal(column(values, 0), FAR).map((v, i) => v + second[i]);
  };
  const table = (seed: number) => forTables(nsf(2, { transforms: 1, hidden: [8], seed }));

  test("a mixture has the density of the data", async () => {
    const flow = mixtureFlow([table(0), table(1)]);
    const { validationLogDensity } = await fit(flow, rows(1), { epochs: 5 });
    const fresh = rows(2);
    const scores = await flow.logProb(fresh);
    const loss = truth(fresh).map((v, i) => v - scores[i]);
    // Estimating the center and the deviation of a column from n rows costs 1 / n nats.
    expect(Math.abs(mean(loss))).toBeLessThan(0.005 + (3 * deviation(loss)) / Math.sqrt(2000));
    expect(Math.abs(validationLogDensity - mean(truth(rows(1))))).toBeLessThan(4 / Math.sqrt(200));
    expectClose(await flow.logProb(fresh, undefined, { precision: "float64" }), scores, 1e-5, "float64");
    const reread = (await decodeModel(encodeModel({ flow, columns: ["a", "b"], given: [] }))).flow;
    expect(await reread.logProb(fresh)).toEqual(scores);
  });

  test("a mixture of flows fitted to different data has the density of both", async () => {
    const [first, second] = [table(0), table(1)];
    const moved = (values: Float64Array) => values.map((v) => v + 1e6);
    await fit(first, rows(1), { epochs: 2 });
    await fit(second, moved(rows(3)), { epochs: 2 });
    const both = mixtureFlow([first, second]);
    const half = Math.log(0.5);
    for (const [own, values] of [
      [first, rows(2)],
      [second, moved(rows(2))],
    ] as const) {
      const expected = (await own.logProb(values)).map((v) => v + half);
      expectClose(await both.logProb(values), expected, 1e-5, "log-density");
    }
    const x = normal(400, 5).map((v) => FAR + v);
    await expect(fit(both, x, { initialize: false })).rejects.toMatchObject({ code: "DATA" });
  });

  test("throw if rounding would be large relative to a standard deviation", async () => {
    const x = normal(400, 5).map((v) => FAR + v);
    await expect(fit(nsf(2, { hidden: [8] }), x)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training computes in float32, which is too coarse for column 0 of the data: expected a standard deviation of more than 1/8000 of the center, received center 1700000000, standard deviation 0.9407.
      Wrap the flow with forTables, which standardizes the rows in float64, or subtract the center from the column.]
    `);
    const behind = new Flow(
      new StandardNormal({ features: 2 }),
      new Chain([standardize([0, 0]), new Exp({ features: 2 })]),
    );
    await expect(fit(behind, x)).rejects.toMatchObject({ code: "DATA" });
    // The standard deviation is a 5,000th of the center.
    await fit(
      nsf(2, { transforms: 1, hidden: [8] }),
      normal(400, 5).map((v) => 5000 + v),
      { epochs: 1 },
    );
  });

  test("an exponential computes in float64 what float32 cannot", async () => {
    const [center, scale] = [20, 1e-9];
    const flow = new Flow(base, new Chain([standardize([center], [scale]), new Exp({ features: 1 })]));
    const { samples, logProb } = await flow.sampleAndLogProb(500);
    expect(new Set(samples).size).toBeGreaterThan(490);
    const truth = logNormal(samples.map(Math.log), center, scale).map((v, i) => v - Math.log(samples[i]));
    expectClose(await flow.logProb(samples), truth, 1e-5, "log-density");
    expectClose(logProb, truth, 1e-5, "log-density of samples");
  });
});

describe("a context far from 0", () => {
  const n = 2000;
  const c = new Random(3).uniform(new Float64Array(n)).map((u) => FAR + 10 * u);
  /** N(c - FAR, 1) */
  const y = normal(n).map((v, i) => c[i] - FAR + v);
  const truth = y.map((v, i) => logNormal(Float64Array.of(v), c[i] - FAR)[0]);
  const layers = () => maf(1, { context: 1, transforms: 1, hidden: [16] });
  const embedding = (classes: number[] = []) => {
    const own = new ContextEmbedding({ numbers: 1, classes });
    return embedContext(maf(1, { context: own.size, transforms: 1, hidden: [16] }), own);
  };

  test.each([
    ["of forTables", () => forTables(layers())],
    ["of an embedding", () => forTables(embedding())],
    ["of only an embedding", embedding],
    ["of the components of a mixture", () => mixtureFlow([forTables(layers()), forTables(embedding())])],
    [
      "inside of a chain",
      () => new Flow(base, new Chain([new StandardizeContext(layers().bijection), identity])),
    ],
  ])("loses no precision by the standardization %s", async (_, make) => {
    const flow = make();
    await fit(flow, y, { context: c, epochs: 80, patience: 80, optimizer: { learningRate: 0.01 } });
    const scores = await flow.logProb(y, c);
    expect(Math.abs(mean(scores) - mean(truth))).toBeLessThan(0.03);
    expectClose(await flow.logProb(y, c, { precision: "float64" }), scores, 1e-5, "float64");
    const at = await flow.sample(4000, { context: [FAR + 7] });
    expect(Math.abs(mean(at) - 7)).toBeLessThan(0.25);
    const z = await flow.toLatent(y, c);
    expectClose(await flow.toData(z, c), y, 1e-5, "y");
  });

  test("keeps its class labels", async () => {
    const flow = forTables(embedding([3]));
    flow.embedding!.scaler!.center.value.set([FAR]);
    const labels = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? c[i / 2] : i % 3));
    const scores = await flow.logProb(y, labels);
    expectClose(await flow.logProb(y, labels, { precision: "float64" }), scores, 1e-5, "float64");
    await expect(flow.logProb([0], [FAR, 3])).rejects.toMatchObject({ code: "DATA" });
  });

  test("is an error if a network takes it without standardization", async () => {
    await expect(fit(layers(), y, { context: c })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training computes in float32, which is too coarse for column 0 of the context: expected a standard deviation of more than 1/8000 of the center, received center 1700000000, standard deviation 2.872.
      Wrap the flow with forTables, which standardizes the rows in float64, or subtract the center from the column.]
    `);
  });

  test("computes in float64 if a base takes it too", async () => {
    const conditional = new TransformedDistribution(base, layers().bijection);
    const flow = new Flow(conditional, new StandardizeContext(layers().bijection));
    const { scaler } = flow.bijection as StandardizeContext;
    scaler.center.value.set([FAR]);
    const float64 = await flow.logProb(y, c, { precision: "float64" });
    expect(await flow.logProb(y, c)).toEqual(float64);
  });
});

describe("densities given as functions", () => {
  const far = new Flow(base, standardize([FAR]));
  const target = (x: Tensor) => x.sub(FAR).square().sum(1).mul(-0.5);

  test("are evaluated in float64 at samples far from 0", async () => {
    const { elbo, logNormalizer, standardError } = await importance(far, target, 2000);
    expect(standardError).toBeLessThan(1e-5);
    expect(elbo).toBeCloseTo(0.5 * Math.log(2 * Math.PI), 5);
    expect(logNormalizer).toBeCloseTo(0.5 * Math.log(2 * Math.PI), 5);
  });

  test("are an error of fitDensity there", async () => {
    await expect(fitDensity(far, target)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: training computes in float32, which is too coarse for the standardization of this flow: expected a standard deviation of more than 1/8000 of the center, received center 1700000000, standard deviation 1 in column 0.
      Write the density of (x - center) / deviation, and fit a flow without this standardization to that density.]
    `);
  });
});

test("a standardization in a graph of tensors is computed in the precision of the graph", async () => {
  const x = normal(100).map((v) => FAR + v);
  const run = compile((x) => trees["a mixture"].logProb(x), [["N", 1]], { precision: "float64" });
  expectClose(await run(x), logNormal(x, FAR), 1e-9, "log-density");
});
