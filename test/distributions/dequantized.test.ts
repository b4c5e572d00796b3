import { describe, expect, test } from "vitest";
import { Chain, Coupling, Elementwise, Sigmoid } from "../../src/bijections/index.ts";
import {
  Dequantized,
  type DequantizedOptions,
  Logistic,
  TransformedDistribution,
} from "../../src/distributions/index.ts";
import { input } from "../../src/graph/index.ts";
import { substitute } from "../../src/graph/substitute.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { copyParameters } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, logProb } from "./evaluate.ts";

const VALUES = 4;

/** Two independent logistic numbers with mean 2 and scale 1. */
function logistic(): TransformedDistribution {
  const shift = new Elementwise({ features: 2, transform: { type: "additive" } });
  shift.raw.value.fill(-2);
  return new TransformedDistribution(new Logistic({ features: 2 }), shift);
}

/** The probability of its cells, from its distribution function. */
function exactLogProb([a, b]: readonly [number, number]): number {
  const cumulative = (x: number) => 1 / (1 + Math.exp(2 - x));
  return Math.log((cumulative(a + 1) - cumulative(a)) * (cumulative(b + 1) - cumulative(b)));
}

/** Noise from a network of the row. */
function dequantizer(): Chain {
  const coupling = new Coupling(
    { mask: [false, false], context: 2, network: { hidden: [4], activation: "tanh" } },
    new Random(0),
  );
  perturb(parametersOf(coupling), 0.3);
  return new Chain([coupling, new Sigmoid({ features: 2 })]);
}

const dequantized = (options: Partial<DequantizedOptions> = {}) =>
  new Dequantized({ distribution: logistic(), values: VALUES, ...options });

const rows = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const));

/** The estimates of all rows, for several seeds of the noise. */
const estimates = (seeds: number, options: Partial<DequantizedOptions>) =>
  Promise.all(
    Array.from({ length: seeds }, (_, seed) => logProb(dequantized({ ...options, seed }), rows.flat())),
  );

describe.each([
  ["uniform", () => ({})],
  ["variational", () => ({ dequantizer: dequantizer() })],
])("%s dequantization", (_, options) => {
  test("estimates the probability of a cell without bias", async () => {
    const distribution = dequantized(options());
    const estimate = compile(
      (x, uniform) => {
        const { result, randomInputs } = traceLoss(() => distribution.logProb(x));
        return substitute([result], new Map([[randomInputs[0].tensor, uniform]]))[0];
      },
      [
        ["N", 2],
        ["N", 2],
      ],
    );
    const draws = 5000;
    const noise = new Random(3).uniform(new Float64Array(2 * draws));
    for (const row of rows) {
      const values = await estimate(new Array(draws).fill(row).flat(), noise);
      const probability = mean(Array.from(values, Math.exp));
      expect(Math.abs(Math.log(probability) - exactLogProb(row))).toBeLessThan(0.03);
    }
  });

  test("has a lower bound of the log-probability that more draws raise", async () => {
    const exact = mean(rows.map(exactLogProb));
    const bound = async (samples: number) => {
      const bySeed = await estimates(12, { ...options(), samples });
      return mean(bySeed.map((values) => mean(values)));
    };
    const [one, eight] = [await bound(1), await bound(8)];
    expect(one).toBeLessThan(eight);
    // The error of the mean over seeds is about 0.005.
    expect(eight).toBeLessThan(exact + 0.01);
    expect(exact - eight).toBeLessThan(0.7 * (exact - one));
  });

  test("draws new noise for each row and batch of a loss", () => {
    const { randomInputs } = traceLoss(() => dequantized(options()).logProb(input("x", ["N", 2])));
    expect(randomInputs.map(({ tensor, perRow }) => [tensor.shape, perRow])).toEqual([[["N", 2], true]]);
  });

  test("is determined by its description and its parameters", async () => {
    const original = dequantized({ ...options(), samples: 3, seed: 5 });
    const rebuilt = buildDistribution(JSON.parse(JSON.stringify(original.describe())), new Random(9));
    copyParameters(original, rebuilt);
    expect(await logProb(rebuilt, rows.flat())).toEqual(await logProb(original, rows.flat()));
  });
});

test("has probability 0 for numbers that are not whole or too large, and NaN for NaN", async () => {
  const values = await logProb(dequantized(), [0.5, 1, -1, 1, 4, 1, 1, Number.NaN]);
  expect([...values]).toEqual([-Infinity, -Infinity, -Infinity, Number.NaN]);
});

test("samples integers", async () => {
  const drawn = await draw(dequantized(), 2000);
  const continuous = await draw(logistic(), 2000);
  expect([...drawn]).toEqual([...continuous].map((x) => Math.min(3, Math.max(0, Math.floor(x)))));
});

describe("features of whole and of real numbers", () => {
  const mixed = (samples: number, seed = 0) =>
    new Dequantized({ distribution: logistic(), values: [VALUES, null], samples, seed });
  const cumulative = (x: number) => 1 / (1 + Math.exp(2 - x));
  const density = (x: number) => cumulative(x) * (1 - cumulative(x));

  test("have the probability of a cell times the density of the real number", async () => {
    const rows = [0, 1, 2, 3].flatMap((a) => [-1.25, 0.3, 2, 7.5].map((x): [number, number] => [a, x]));
    // The parts are independent, so 256 draws of the noise of the first have a small error.
    const values = await logProb(mixed(256), rows.flat());
    rows.forEach(([a, x], n) => {
      const cell = Math.log(cumulative(a + 1) - cumulative(a));
      expect(Math.abs(values[n] - cell - Math.log(density(x)))).toBeLessThan(0.03);
    });
  });

  test("are drawn and scored accordingly", async () => {
    const [drawn, continuous] = [await draw(mixed(1), 500), await draw(logistic(), 500)];
    for (let i = 0; i < 1000; i += 2) {
      expect(drawn[i]).toBe(Math.min(3, Math.max(0, Math.floor(continuous[i]))));
      expect(drawn[i + 1]).toBe(continuous[i + 1]);
    }
    const values = await logProb(mixed(1), [0.5, 1, 4, 0.5, 1, Number.NaN, 1, -0.25]);
    expect([...values.slice(0, 3)]).toEqual([-Infinity, -Infinity, Number.NaN]);
    expect(mixed(1).atoms).toEqual(["all", []]);
  });

  test("have different noise in different rows", async () => {
    // The first feature is the same in all rows, so that the estimates differ only by the noise and the known density.
    const reals = Array.from({ length: 50 }, (_, i) => i / 100);
    const values = await logProb(
      mixed(1),
      reals.flatMap((x) => [1, x]),
    );
    const ofCell = reals.map((x, n) => (values[n] - Math.log(density(x))).toFixed(4));
    expect(new Set(ofCell).size).toBeGreaterThan(25);
  });

  test("need one number for each feature, and uniform noise", () => {
    const distribution = logistic();
    expect(() => new Dequantized({ distribution, values: [2] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the option values does not have one entry per feature: expected 2 entries, received 1.]`,
    );
    expect(() =>
      dequantized({ values: [2, null], dequantizer: dequantizer() }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: a dequantizer needs one number of values for all features.
      Leave out the dequantizer: the noise is uniform then.]
    `);
  });
});

test("refuses a dequantizer that does not take the row as its context", () => {
  expect(() => dequantized({ dequantizer: new Sigmoid({ features: 2 }) })).toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the dequantizer has wrong sizes: expected 2 features and 2 context features, received 2 features and 0 context features.
    A dequantizer maps noise with as many numbers as a row has features, and the row is its context.]
  `,
  );
  expect(() => dequantized({ values: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a dequantized distribution is not valid at values: expected at least 2, received 1.]`,
  );
});
