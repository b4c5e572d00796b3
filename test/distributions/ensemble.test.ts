import { describe, expect, test } from "vitest";
import { randomOrder, reverseOrder } from "../../src/bijections/index.ts";
import { Ensemble, Made, type MadeOptions } from "../../src/distributions/index.ts";
import { madeFlow } from "../../src/flows/index.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { withVariant } from "../../src/graph/tracing/variant.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { copyParameters, expectClose } from "../bijections/invariants.ts";
import { draw, logProb } from "./evaluate.ts";
import { allBits, perturbedMade } from "./perturbedMade.ts";

const logProbWithMask = (variant: number, made: Made, rows: Float64Array) =>
  withVariant(variant, () => logProb(made, rows));

const order = [...randomOrder(12, new Random(5))];
const bernoulli = { outputs: "bernoulli", order } as const;
const cases: MadeOptions[] = [
  { ...bernoulli, masks: 3, network: { hidden: [20, 15] } },
  { ...bernoulli, masks: 3, orderAgnostic: true, network: { hidden: [20] }, direct: true },
  { ...bernoulli, masks: 4, orderAgnostic: true, network: { hidden: [] }, direct: true },
  { ...bernoulli, masks: 2, orderAgnostic: true, hiddenOrder: "random", network: { hidden: [9, 20] } },
  { ...bernoulli, masks: 3, orderAgnostic: true, network: { hidden: [8, 8, 8], residual: true } },
  { ...bernoulli, masks: 2, orderAgnostic: true, context: 2, network: { hidden: [300, 300] } },
];

describe.each(cases)("%j", (options) => {
  const M = options.masks!;
  const made = perturbedMade(options);
  const bits = allBits(12);

  test("has probabilities that sum to 1 over all 4,096 rows for each mask, and the ensemble is their mean", async () => {
    const each: Float64Array[] = [];
    for (let m = 0; m < M; m++) each.push((await logProbWithMask(m, made, bits)).map(Math.exp));
    const ensemble = (await logProb(new Ensemble(made, { variants: M }), bits)).map(Math.exp);
    const total = (p: Float64Array) => p.reduce((a, b) => a + b);
    for (const p of [...each, ensemble]) expect(Math.abs(total(p) - 1)).toBeLessThan(1e-12);
    const mean = ensemble.map((_, row) => each.reduce((sum, p) => sum + p[row], 0) / M);
    expectClose(ensemble, mean, 1e-12, "probability");
    const differs = options.network?.hidden?.length !== 0 || options.orderAgnostic;
    if (differs) expect(each[1]).not.toEqual(each[0]);
  });

  test("cycles through the masks during training", async () => {
    const ensemble = new Ensemble(made, { variants: M });
    const context = new Float64Array(16 * made.context).map((_, i) => Math.cos(2 + (i % made.context)));
    const rows = bits.subarray(12 * 100, 12 * 116);
    let drawn: ReturnType<typeof traceLoss>["randomInputs"] = [];
    const run = compile(
      (x, context) => {
        const traced = traceLoss(() => ensemble.logProb(x, context));
        drawn = traced.randomInputs;
        return traced.result;
      },
      made.context > 0
        ? [
            ["N", 12],
            ["N", made.context],
          ]
        : [["N", 12]],
      { precision: "float64" },
      { inputs: () => drawn.map(({ tensor }) => tensor) },
    );
    expect(drawn).toHaveLength(1);
    for (let m = 0; m < M; m++) {
      const chosen = Float64Array.from({ length: M }, (_, i) => +(i === m));
      const inputs = made.context > 0 ? [rows, context, chosen] : [rows, chosen];
      expectClose(await run(...inputs), await logProbWithMask(m, made, rows), 1e-12, `mask ${m}`);
    }
    const chosen = Array.from({ length: 2 * M }, (_, step) => {
      const values = new Float64Array(M);
      drawn[0].fill({ random: new Random(0), step }, values, 0);
      expect(values.reduce((a, b) => a + b)).toBe(1);
      return values.indexOf(1);
    });
    expect(chosen).toEqual(Array.from({ length: 2 * M }, (_, step) => step % M));
  });

  // Wide layers of a model with one mask store their weights in blocks of another shape.
  if (!options.network?.hidden?.some((size) => size >= 128))
    test("with the first mask equals a model of one mask with the same weights", async () => {
      const single = new Made({ ...options, masks: 1 }, new Random(0));
      copyParameters(made, single);
      expectClose(await logProb(made, bits), await logProb(single, bits), 1e-12, "log-probability");
    });
});

test("samples have the probabilities of the ensemble", async () => {
  const options = { outputs: "bernoulli", masks: 3, orderAgnostic: true } as const;
  const made = perturbedMade({ ...options, network: { hidden: [9] }, order: [2, 0, 3, 1] }, 1.5);
  const ensemble = new Ensemble(made, { variants: 3 });
  const probabilities = (await logProb(ensemble, allBits(4))).map(Math.exp);
  const n = 20_000;
  const rows = await draw(ensemble, n);
  const counts = new Float64Array(16);
  for (let r = 0; r < n; r++) {
    const [a, b, c, d] = rows.subarray(4 * r, 4 * r + 4);
    counts[8 * a + 4 * b + 2 * c + d]++;
  }
  const chiSquare = probabilities.reduce((sum, p, k) => sum + (counts[k] - n * p) ** 2 / (n * p), 0);
  // The 99.9% quantile of the chi-square distribution with 15 degrees of freedom.
  expect(chiSquare).toBeLessThan(37.7);
});

test("madeFlow trains an ensemble, and a model file preserves it", async () => {
  const coins = new Random(3).uniform(new Float64Array(2 * 2000)).map(Math.round);
  const data = Float64Array.from({ length: 3 * 2000 }, (_, i) => {
    const [a, b] = coins.subarray(2 * Math.floor(i / 3));
    return [a, b, a === b ? 0 : 1][i % 3];
  });
  const flow = madeFlow(3, { outputs: "bernoulli", hidden: [64], masks: 4, orderAgnostic: true });
  expect(flow.describe().base).toMatchObject({ type: "ensemble", variants: 4, distribution: { masks: 4 } });
  await fit(flow, data, { epochs: 60, optimizer: { learningRate: 0.02 } });
  const p = (await flow.logProb(allBits(3))).map(Math.exp);
  const even = [0, 3, 5, 6];
  expect(even.reduce((sum, k) => sum + p[k], 0)).toBeGreaterThan(0.95);
  for (const k of even) expect(Math.abs(p[k] - 0.25)).toBeLessThan(0.05);
  const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["a", "b", "c"], given: [] }));
  expect(await read.logProb(allBits(3))).toEqual(await flow.logProb(allBits(3)));
  expect(await read.sample(20)).toEqual(await flow.sample(20));
});

test("with orderAgnostic, the masks have different orderings", async () => {
  const made = perturbedMade(
    { order: reverseOrder(3), outputs: "bernoulli", masks: 6, orderAgnostic: true },
    1,
  );
  // The marginal probabilities depend on the ordering, so several orderings have several values.
  const first = new Set<number>();
  for (let m = 0; m < 6; m++) {
    const p = (await logProbWithMask(m, made, allBits(3))).map(Math.exp);
    const bit = (row: number, i: number) => (row >> (2 - i)) & 1;
    const marginal = [0, 1, 2].map((i) => p.reduce((sum, v, row) => sum + bit(row, i) * v, 0));
    for (const value of marginal) first.add(Math.round(value * 1e6));
  }
  expect(first.size).toBeGreaterThan(3);
});
