import { describe, expect, test, vi } from "vitest";
import { Logistic, StudentT } from "../../src/distributions/index.ts";
import {
  type Flow,
  glow,
  iaf,
  maf,
  nice,
  nsf,
  planarFlow,
  type RecipeOptions,
  radialFlow,
  realNVP,
  sylvesterFlow,
} from "../../src/flows/index.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random, toys } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { fit } from "../../src/train/index.ts";
import { perturb } from "../nn/perturb.ts";

/** Descriptions of the layers, beginning next to the data. */
const layersOf = (flow: Flow) => [...(flow.describe().bijection.bijections as Description[])].reverse();

describe("recipes", () => {
  test("differ in their transform, and in the direction that takes one pass", () => {
    const first = (flow: Flow) => layersOf(flow)[0];
    expect(first(nice(2))).toMatchObject({ type: "coupling", transform: { type: "additive" } });
    expect(first(realNVP(2))).toMatchObject({ type: "coupling", transform: { type: "affine" } });
    expect(first(maf(2))).toMatchObject({ type: "autoregressive", transform: { type: "affine" } });
    expect(first(iaf(2))).toMatchObject({ type: "invert", bijection: { type: "autoregressive" } });
    const spline = { type: "rationalQuadraticSpline", bins: 6, bound: 2 };
    expect(first(nsf(2, { bins: 6, bound: 2 }))).toMatchObject({ type: "autoregressive", transform: spline });
    expect(first(nsf(2, { bins: 6, bound: 2, kind: "coupling" }))).toMatchObject({
      type: "coupling",
      transform: spline,
    });
  });

  test("have the given base, and NICE a logistic one by default", () => {
    expect(nice(2).describe().base).toEqual({ type: "logistic", features: 2 });
    expect(maf(2).describe().base).toEqual({ type: "standardNormal", features: 2 });
    const base = new StudentT({ features: 2 });
    expect(nice(2, { base }).base).toBe(base);
    expect(nsf(3, { base: new Logistic({ features: 3 }) }).base).toBeInstanceOf(Logistic);
  });

  test.each([
    ["nice", 2],
    ["nice", { image: [4, 4, 1] }],
    ["glow", { image: [4, 4, 1], levels: 1, width: 4, transform: { type: "additive" } }],
    ["realNVP", { image: [4, 4, 1], levels: 1, width: 4, transform: { type: "cubicSpline" } }],
    ["iaf", 2],
    ["gaussianization", 2],
  ])("register the kinds that they need: %s", async (name, argument) => {
    // In these new modules, the kinds are not registered by other tests or by src/index.ts.
    vi.resetModules();
    const flows: Record<string, unknown> = await import("../../src/flows/index.ts");
    const recipe = flows[name] as (argument: unknown) => Flow;
    expect(recipe(argument).features).toBeGreaterThan(0);
  });

  test("of planar kinds have a closed form in the given direction", () => {
    for (const [recipe, type, count] of [
      [planarFlow, "planar", 32],
      [sylvesterFlow, "sylvester", 8],
    ] as const) {
      expect(layersOf(recipe(3))).toHaveLength(count);
      expect(layersOf(recipe(3, { context: 2 }))[0]).toMatchObject({
        type: "invert",
        bijection: { type, features: 3, context: 2 },
      });
      expect(layersOf(recipe(3, { closedForm: "sampling", transforms: 2 }))[0]).toMatchObject({ type });
    }
    expect(layersOf(sylvesterFlow(3, { columns: 2, closedForm: "sampling" }))[0]).toMatchObject({
      columns: 2,
    });
    expect(layersOf(radialFlow(3))).toHaveLength(32);
    expect(layersOf(radialFlow(3))[0]).toMatchObject({ type: "radial" });
  });

  test("have a separate conditioner for each parameter with conditioner: separate", () => {
    expect(layersOf(realNVP(3, { conditioner: "separate" })).map(({ type, mask }) => [type, mask])).toEqual(
      layersOf(realNVP(3)).map(({ mask }) => ["realNVPCoupling", mask]),
    );
    for (const recipe of [maf, iaf]) {
      expect(JSON.stringify(recipe(2, { conditioner: "separate" }).describe())).toContain("separate");
    }
  });

  test("pass the options of networks and the context to their layers", () => {
    const options: RecipeOptions = {
      hidden: [7, 7],
      activation: "elu",
      residual: true,
      context: 4,
      transforms: 2,
    };
    for (const recipe of [nice, realNVP, maf, nsf]) {
      const flow = recipe(3, options);
      expect(flow.context).toBe(4);
      const conditioned = layersOf(flow).filter(({ type }) => type !== "diagonalScaling");
      expect(conditioned.length).toBe(2);
      for (const layer of conditioned) {
        expect(layer).toMatchObject({
          network: { hidden: [7, 7], activation: "elu", residual: true },
          context: 4,
        });
      }
    }
  });

  test("alternate their orderings and masks", () => {
    expect(layersOf(maf(3, { transforms: 3 })).map(({ order }) => order)).toEqual([
      [0, 1, 2],
      [2, 1, 0],
      [0, 1, 2],
    ]);
    expect(layersOf(realNVP(3, { transforms: 3 })).map(({ mask }) => mask)).toEqual([
      [true, false, true],
      [false, true, false],
      [true, false, true],
    ]);
  });

  test("of Glow have steps of an actnorm, a linear map and a coupling, beginning at the data", () => {
    const steps = layersOf(glow(3, { transforms: 2, context: 1 }));
    expect(steps.map(({ bijections }) => [...(bijections as Description[])].reverse())).toEqual(
      [
        [true, false, true],
        [false, true, false],
      ].map((mask) => [
        { type: "actnorm", features: 3 },
        { type: "luLinear", features: 3 },
        expect.objectContaining({ type: "coupling", mask, context: 1 }),
      ]),
    );
  });

  test("draw random orderings and masks from their seed, so that two consecutive couplings change every feature", () => {
    const orders = (seed: number) => layersOf(maf(6, { ordering: "random", seed })).map(({ order }) => order);
    expect(orders(1)).toEqual(orders(1));
    expect(orders(1)).not.toEqual(orders(2));
    expect(new Set(orders(1).map(String)).size).toBe(5);
    for (let seed = 0; seed < 20; seed++) {
      const masks = layersOf(realNVP(5, { ordering: "random", transforms: 4, seed })).map(
        ({ mask }) => mask as boolean[],
      );
      for (const i of [0, 2]) expect(masks[i + 1]).toEqual(masks[i].map((keep) => !keep));
    }
    const different = Array.from(
      { length: 20 },
      (_, seed) => layersOf(realNVP(5, { ordering: "random", seed }))[0].mask,
    );
    expect(new Set(different.map(String)).size).toBeGreaterThan(3);
  });

  test("take any safe integer as a seed for several orderings, different ones in each layer", () => {
    const seeds = (seed: number) => layersOf(maf(6, { orders: 2, seed })).map((layer) => layer.seed);
    expect(seeds(7)).toEqual([7000, 7001, 7002, 7003, 7004]);
    const large = seeds(Number.MAX_SAFE_INTEGER) as number[];
    expect(large.every(Number.isSafeInteger)).toBe(true);
    expect(new Set(large).size).toBe(5);
  });

  test("draw initial weights from their seed, different ones in each layer", () => {
    const weight = (seed: number, layer: number) =>
      maf(3, { seed }).parameters().get(`bijection.bijections.${layer}.network.layers.0.blocks.0.weight`)!
        .value;
    expect(weight(1, 0)).toEqual(weight(1, 0));
    expect(weight(1, 0)).not.toEqual(weight(2, 0));
    expect(weight(1, 0)).not.toEqual(weight(1, 1));
  });

  test("throw for flows that they cannot build", () => {
    expect(() => realNVP(1)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: a coupling has no unchanged feature and no context to condition on.
      Use an autoregressive bijection, or set the mask of a feature to true.]
    `);
    expect(() => nsf(2, { bins: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an autoregressive bijection is not valid at transform.bins: expected at least 2, received 1.]`,
    );
    expect(() => maf(2, { context: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an option of maf is not valid at context: expected at least 0, received -1.]`,
    );
    expect(() => maf(2, { base: new Logistic({ features: 3 }) })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the base distribution and the bijection have different numbers of features: expected 2 features, received 3.]`,
    );
  });
});

test("NICE has four couplings and a scaling, as in the paper", async () => {
  const flow = nice(2, { hidden: [] });
  const types = layersOf(flow).map(({ type }) => type);
  expect(types).toEqual(["coupling", "coupling", "coupling", "coupling", "diagonalScaling"]);
  const parameters = flow.parameters();
  perturb(parameters, 0.5);
  const value = (name: string) => parameters.get(`bijection.bijections.${name}`)!.value;
  const x = [0.7, -1.3];
  const z = [...x];
  for (const [i, layer] of [4, 3, 2, 1].entries()) {
    const [kept, changed] = i % 2 === 0 ? [0, 1] : [1, 0];
    z[changed] += value(`${layer}.network.layers.0.weight`)[0] * z[kept];
    z[changed] += value(`${layer}.network.layers.0.bias`)[0];
  }
  const s = Array.from(value("0.logScale"), (a) => a / (1 + Math.abs(a) / Math.log(1000)));
  const logDensity = z
    .map((v, i) => v * Math.exp(-s[i]))
    .reduce((sum, v, i) => sum - v - 2 * Math.log1p(Math.exp(-v)) - s[i], 0);
  expect((await flow.logProb(x, undefined, { precision: "float64" }))[0]).toBeCloseTo(logDensity, 12);
});

test("NICE trains on symmetric data, whose likelihood has a saddle point at the identity", async () => {
  const quarter = toys.eightGaussians(250, { seed: 1 });
  const signs = [
    [1, 1],
    [-1, 1],
    [1, -1],
    [-1, -1],
  ];
  const data = Float64Array.from(signs.flatMap((sign) => Array.from(quarter, (x, i) => sign[i % 2] * x)));
  const validation = toys.eightGaussians(1000, { seed: 2 });
  const options = { validation, epochs: 80, optimizer: { learningRate: 5e-3 } };
  const { validationLogDensity } = await fit(forTables(nice(2, { hidden: [32] })), data, options);
  // With shifts of 0, the log-density would stay at -4.36, since all gradients of the networks are 0.
  expect(validationLogDensity).toBeGreaterThan(-4);
});

test("Glow is initialized as the standardization of its data", async () => {
  const random = new Random(3);
  const [u, v] = ["u", "v"].map((name) => random.split(name).normal(new Float64Array(500)));
  const data = Float64Array.from({ length: 1000 }, (_, i) => {
    const row = i >> 1;
    return i % 2 === 0 ? 100 + 5 * u[row] : -3 + 0.1 * v[row];
  });
  const flow = glow(2, { transforms: 3 });
  await fit(flow, data, {
    epochs: 1,
    optimizer: { learningRate: 1e-12 },
    averageDecay: 0,
    validation: data,
  });
  const z = await flow.toLatent(data);
  for (const feature of [0, 1]) {
    const column = z.filter((_, i) => i % 2 === feature);
    const mean = column.reduce((a, b) => a + b) / 500;
    expect(mean).toBeCloseTo(0, 4);
    expect(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 500).toBeCloseTo(1, 4);
  }
});

test.each([
  ["glow", glow, {}],
  ["planar", planarFlow, {}],
  ["radial", radialFlow, {}],
  ["sylvester", sylvesterFlow, { transforms: 4 }],
] as const)("a %s flow fits two clusters", async (_, recipe, options) => {
  const data = new Random(1)
    .normal(new Float64Array(1000))
    .map((v, i) => (i % 2 === 0 ? 0.3 * v + (i % 4 === 0 ? 1.2 : -1.2) : v));
  const flow = recipe(2, { transforms: 8, ...options });
  const mean = async () => (await flow.logProb(data)).reduce((sum, v) => sum + v, 0) / 500;
  const before = await mean();
  await fit(flow, data, { epochs: 40, batchSize: 125, optimizer: { learningRate: 0.02 } });
  expect((await mean()) - before).toBeGreaterThan(0.2);
});
