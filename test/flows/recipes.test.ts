import { describe, expect, test } from "vitest";
import type { Description } from "../../src/description.ts";
import { Logistic, StudentT } from "../../src/distributions/index.ts";
import { type Flow, iaf, maf, nice, nsf, type RecipeOptions, realNVP } from "../../src/flows/index.ts";

/** Descriptions of the layers, the one next to the data first. */
const layersOf = (flow: Flow) => [...(flow.describe().bijection.bijections as Description[])].reverse();

describe("recipes", () => {
  test("differ in their transform, and in which direction is cheap", () => {
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

  test("take their base, and NICE a logistic one", () => {
    expect(nice(2).describe().base).toEqual({ type: "logistic", features: 2 });
    expect(maf(2).describe().base).toEqual({ type: "standardNormal", features: 2 });
    const base = new StudentT({ features: 2 });
    expect(nice(2, { base }).base).toBe(base);
    expect(nsf(3, { base: new Logistic({ features: 3 }) }).base).toBeInstanceOf(Logistic);
  });

  test("pass on what networks take, and the context", () => {
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

  test("alternate their orders and masks", () => {
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

  test("draw random orders and masks from their seed, with every feature changed by two couplings in a row", () => {
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

  test("start from weights of their seed, other ones in each layer", () => {
    const weight = (seed: number, layer: number) =>
      maf(3, { seed }).parameters().get(`bijection.bijections.${layer}.network.layers.0.blocks.0.weight`)!
        .value;
    expect(weight(1, 0)).toEqual(weight(1, 0));
    expect(weight(1, 0)).not.toEqual(weight(2, 0));
    expect(weight(1, 0)).not.toEqual(weight(1, 1));
  });

  test("refuse what they cannot build", () => {
    expect(() => realNVP(1)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: a coupling keeps no feature and has no context to condition on.
      Keep at least one feature, or use an autoregressive bijection for a single one.]
    `);
    expect(() => nsf(0)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a standard normal distribution does not fit at features: expected more than 0, received 0.]`,
    );
    expect(() => nsf(2, { bins: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an autoregressive bijection does not fit at transform.bins: expected at least 2, received 1.]`,
    );
    expect(() => maf(2, { context: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an autoregressive bijection does not fit at context: expected at least 0, received -1.]`,
    );
    expect(() => maf(2, { transforms: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a chain needs at least one bijection.]`,
    );
    expect(() => maf(2, { base: new Logistic({ features: 3 }) })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the base distribution does not fit the bijection: expected 2 features, received 3.]`,
    );
  });
});
