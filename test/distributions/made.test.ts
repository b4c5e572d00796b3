import { describe, expect, test } from "vitest";
import { randomOrder, reverseOrder } from "../../src/bijections/index.ts";
import { Ensemble, Made, type MadeOptions } from "../../src/distributions/index.ts";
import { madeFlow, maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, logProb } from "./evaluate.ts";
import { allBits, perturbedMade } from "./perturbedMade.ts";

const float64 = { precision: "float64" } as const;

describe("Bernoulli outputs", () => {
  const random = randomOrder(12, new Random(5));
  const options: Omit<MadeOptions, "order" | "outputs">[] = [
    {},
    { network: { hidden: [] } },
    { network: { hidden: [] }, direct: true },
    { network: { hidden: [20] }, direct: true },
    { network: { hidden: [20, 15, 30] }, hiddenOrder: "random" },
    { network: { hidden: [3] }, hiddenOrder: "random", seed: 4, direct: true },
    { network: { hidden: [16, 16, 16], residual: true }, hiddenOrder: "random" },
    { network: { hidden: [300, 300] }, context: 2, direct: true },
  ];
  const cases = options.flatMap((made) =>
    [random, reverseOrder(12)].map((order) => ({ ...made, order, outputs: "bernoulli" as const })),
  );

  test.each(cases)("have probabilities that sum to 1 over all 4,096 rows: %j", async (made) => {
    const probabilities = (await logProb(perturbedMade(made), allBits(12))).map(Math.exp);
    expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-12);
  });

  test("are initially Bernoulli(1/2)", async () => {
    const flow = madeFlow(5, { outputs: "bernoulli" });
    const expected = new Array(32).fill(-5 * Math.LN2);
    expectClose(await flow.logProb(allBits(5), undefined, float64), expected, 1e-12, "log-probability");
  });

  test("have samples with these probabilities", async () => {
    const made = perturbedMade({ order: [2, 0, 3, 1], outputs: "bernoulli", network: { hidden: [9] } }, 1);
    const probabilities = (await logProb(made, allBits(4))).map(Math.exp);
    const n = 20_000;
    const rows = await draw(made, n);
    const counts = new Float64Array(16);
    for (let r = 0; r < n; r++) {
      const [a, b, c, d] = rows.subarray(4 * r, 4 * r + 4);
      counts[8 * a + 4 * b + 2 * c + d]++;
    }
    const chiSquare = probabilities.reduce((sum, p, k) => sum + (counts[k] - n * p) ** 2 / (n * p), 0);
    // The 99.9% quantile of the chi-square distribution with 15 degrees of freedom.
    expect(chiSquare).toBeLessThan(37.7);
  });

  test("have a log-probability of -Infinity for values other than 0 and 1, and NaN is an error", async () => {
    const flow = madeFlow(2, { outputs: "bernoulli" });
    const rows = [0, 1, 0.5, 1, 0, 1 + 1e-6, -1, 0];
    const values = await flow.logProb(rows);
    const out = Number.NEGATIVE_INFINITY;
    expect([...values.subarray(1)]).toEqual([out, out, out]);
    expect(values[0]).toBeCloseTo(-2 * Math.LN2, 6);
    await expect(flow.logProb([0, 1, Number.NaN, 1])).rejects.toThrow("row 1, column 0");
  });

  test("learn that the third bit is the exclusive or of two random bits", async () => {
    const coins = new Random(3).uniform(new Float64Array(2 * 2000)).map(Math.round);
    const data = Float64Array.from({ length: 3 * 2000 }, (_, i) => {
      const [a, b] = coins.subarray(2 * Math.floor(i / 3));
      return [a, b, a === b ? 0 : 1][i % 3];
    });
    const flow = madeFlow(3, { outputs: "bernoulli", hidden: [32] });
    await fit(flow, data, { epochs: 40, optimizer: { learningRate: 0.02 } });
    const p = (await flow.logProb(allBits(3))).map(Math.exp);
    const even = [0, 3, 5, 6];
    expect(even.reduce((sum, k) => sum + p[k], 0)).toBeGreaterThan(0.97);
    for (const k of even) expect(Math.abs(p[k] - 0.25)).toBeLessThan(0.04);
    const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["a", "b", "c"], given: [] }));
    expect(await read.logProb(allBits(3))).toEqual(await flow.logProb(allBits(3)));
    expect(await read.sample(20)).toEqual(await flow.sample(20));
  });
});

/** The parameters of the conditionals for one hidden layer of ReLUs, computed with plain loops over the weights. */
function directParameters(made: Made, order: readonly number[], row: ArrayLike<number>): number[] {
  const D = order.length;
  const position = order.map((_, feature) => order.indexOf(feature) + 1);
  const [first, second] = made.network.layers;
  const hidden = second.inputDegrees.map((degree, h) => {
    let sum = first.blocks[0].bias.value[h];
    for (let i = 0; i < D; i++) {
      if (position[i] <= degree)
        sum += row[i] * first.blocks[0].weight.value[i * second.inputDegrees.length + h];
    }
    return Math.max(0, sum);
  });
  const outputs = second.maxDegrees.length;
  return Array.from({ length: outputs }, (_, j) => {
    const connected = (degree: number) => degree < position[j % D];
    let sum = second.blocks[0].bias.value[j];
    hidden.forEach((value, h) => {
      if (connected(second.inputDegrees[h])) sum += value * second.blocks[0].weight.value[h * outputs + j];
    });
    if (!made.direct) return sum;
    const block = made.direct.layers[0].blocks[0];
    sum += block.bias.value[j];
    for (let i = 0; i < D; i++)
      if (connected(position[i])) sum += row[i] * block.weight.value[i * outputs + j];
    return sum;
  });
}

const clamped = (s: number) => s / (1 + Math.abs(s) / Math.log(1000));
const normal = (x: number, m: number, s: number) =>
  Math.exp(-0.5 * ((x - m) / Math.exp(s)) ** 2 - s) / Math.sqrt(2 * Math.PI);

describe("the density of a MADE equals its formula", () => {
  const order = [2, 0, 3, 1];
  const D = 4;
  const options: MadeOptions = { order, direct: true, hiddenOrder: "random", network: { hidden: [7] } };
  const rows = new Random(6).normal(new Float64Array(10 * D));
  const rowsOf = (values: Float64Array) =>
    Array.from({ length: values.length / D }, (_, r) => values.subarray(r * D, (r + 1) * D));
  const sum = (row: ArrayLike<number>, term: (x: number, i: number) => number) =>
    Array.from(row, term).reduce((a, b) => a + b);

  test("with Bernoulli outputs", async () => {
    const made = perturbedMade({ ...options, outputs: "bernoulli" });
    const expected = rowsOf(allBits(D)).map((row) => {
      const logits = directParameters(made, order, row);
      return sum(row, (x, i) => Math.log(1 / (1 + Math.exp(x === 1 ? -logits[i] : logits[i]))));
    });
    expectClose(await logProb(made, allBits(D)), expected, 1e-12, "log-probability");
  });

  test("with Gaussian outputs", async () => {
    const made = perturbedMade({ ...options, direct: false });
    const expected = rowsOf(rows).map((row) => {
      const raw = directParameters(made, order, row);
      return sum(row, (x, i) => Math.log(normal(x, raw[i], clamped(raw[D + i]))));
    });
    expectClose(await logProb(made, rows), expected, 1e-11, "log-density");
  });

  test("with mixtures", async () => {
    const C = 3;
    const made = perturbedMade({ ...options, outputs: "mixture", components: C });
    const starts = [-2, 0, 2].map((place) => place * Math.sqrt(1.5 / 8));
    const expected = rowsOf(rows).map((row) => {
      const raw = directParameters(made, order, row);
      const at = (kind: number, c: number, i: number) => raw[(kind * C + c) * D + i];
      return sum(row, (x, i) => {
        const weights = [0, 1, 2].map((c) => Math.exp(at(0, c, i)));
        const total = weights.reduce((a, b) => a + b);
        return Math.log(
          weights.reduce((density, w, c) => {
            const s = clamped(at(2, c, i)) + 0.5 * Math.log(0.5);
            return density + (w / total) * normal(x, at(1, c, i) + starts[c], s);
          }, 0),
        );
      });
    });
    expectClose(await logProb(made, rows), expected, 1e-11, "log-density");
  });
});

test("mixtures have initially mean 0 and deviation 1", async () => {
  const made = new Made({ order: [0], outputs: "mixture", components: 6 }, new Random(0));
  const step = 0.01;
  const nodes = Float64Array.from({ length: 2001 }, (_, i) => (i - 1000) * step);
  const density = (await logProb(made, nodes)).map(Math.exp);
  const moment = (k: number) => density.reduce((sum, p, i) => sum + step * p * nodes[i] ** k, 0);
  expectClose([moment(0), moment(1), moment(2)], [1, 0, 1], 1e-10, "moments");
});

test("a mixture is a base distribution for MAF layers (MAF MoG)", async () => {
  const base = new Made(
    { order: [0, 1, 2], outputs: "mixture", components: 4, network: { hidden: [8] } },
    new Random(1),
  );
  const flow = maf(3, { base, transforms: 2, hidden: [8], activation: "tanh" });
  perturb(flow.parameters(), 0.3);
  const { samples, logProb: made } = await flow.sampleAndLogProb(200, float64);
  expectClose(await flow.logProb(samples, undefined, float64), made, 1e-8, "log-density");
  const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["a", "b", "c"], given: [] }));
  expect(await read.logProb(samples)).toEqual(await flow.logProb(samples));
});

describe("madeFlow", () => {
  test("passes its options to the MADE, and draws orderings from its seed", () => {
    const describe = (seed: number) =>
      madeFlow(6, {
        outputs: "mixture",
        components: 3,
        ordering: "random",
        hiddenOrder: "random",
        direct: true,
        context: 2,
        hidden: [5],
        activation: "silu",
        seed,
      }).describe();
    const { base, bijection } = describe(1);
    expect(bijection).toEqual({ type: "identity", features: 6 });
    expect(base).toMatchObject({
      type: "made",
      outputs: "mixture",
      components: 3,
      hiddenOrder: "random",
      seed: 1,
      direct: true,
      context: 2,
      network: { hidden: [5], activation: "silu", residual: false },
    });
    expect(base.order).not.toEqual(describe(2).base.order);
    expect(madeFlow(3).describe().base).toMatchObject({ order: [0, 1, 2], outputs: "gaussian" });
  });

  test("throws for invalid options", () => {
    expect(() => madeFlow(0)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of features of madeFlow is not valid: expected more than 0, received 0.]`,
    );
    expect(() => madeFlow(2, { components: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a MADE is not valid at components: expected more than 0, received 0.]`,
    );
    // @ts-expect-error no such outputs
    expect(() => madeFlow(2, { outputs: "categorical" })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a MADE is not valid at outputs: expected one of "bernoulli", "gaussian", "mixture", received "categorical".]`,
    );
  });
});

test("all values of a Bernoulli MADE are atoms, and none of a Gaussian one", () => {
  const made = (outputs: "bernoulli" | "gaussian") =>
    new Made({ order: [0, 1], outputs, network: { hidden: [4] }, masks: 2 }, new Random(0));
  expect(made("bernoulli").atoms).toEqual(["all", "all"]);
  expect(new Ensemble(made("bernoulli"), { variants: 2 }).atoms).toEqual(["all", "all"]);
  expect(made("gaussian").atoms).toBeUndefined();
});
