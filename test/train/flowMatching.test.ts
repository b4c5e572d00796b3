import { describe, expect, test } from "vitest";
import { Chain, Continuous, LULinear } from "../../src/bijections/index.ts";
import { StandardNormal, StudentT } from "../../src/distributions/index.ts";
import { input, type Tensor } from "../../src/graph/tensor.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { ancestors } from "../../src/graph/traversal.ts";
import { cnf, Flow, fit, forTables, maf, Random } from "../../src/index.ts";
import { flowMatchingLoss } from "../../src/train/flowMatching.ts";
import { integral, lineRule, square } from "../mathematics/quadrature.ts";

const ROWS = 1500;

/** x_1 = x_0 + 0.5 noise: a Gaussian with known entropy. */
function correlated(seed: number): Float64Array {
  const rows = new Random(seed).normal(new Float64Array(2 * ROWS));
  return rows.map((v, i) => (i % 2 === 1 ? rows[i - 1] + 0.5 * v : v));
}
const ENTROPY = Math.log(2 * Math.PI * Math.E) + Math.log(0.5);

const SETTINGS = {
  objective: "flowMatching",
  optimizer: { learningRate: 5e-3 },
  epochs: 40,
  validation: correlated(2),
} as const;

/** The names of the operations by which a tensor is computed. */
const operationsOf = (tensor: Tensor): string[] => ancestors([tensor]).map(({ operation }) => operation.name);

describe("flow matching", () => {
  test("has a loss without an integration", () => {
    const flow = cnf(2, { hidden: [8] });
    const x = input("x", ["N", 2]);
    const { result } = traceLoss(() => flowMatchingLoss(flow, x));
    expect(operationsOf(result)).not.toContain("loop");
    expect(operationsOf(flow.logProb(x))).toContain("loop");
  });

  test("trains a flow that has an exact density", async () => {
    const flow = cnf(2, { hidden: [32, 32] });
    const { validationLogDensity, epochs } = await fit(flow, correlated(1), SETTINGS);
    expect(validationLogDensity).toBeLessThan(-ENTROPY + 0.05);
    expect(validationLogDensity).toBeGreaterThan(-ENTROPY - 0.05);
    // The training rows have the same distribution, so their mean log-density is that of new rows.
    expect(Math.abs(epochs.at(-1)!.trainLogDensity + ENTROPY)).toBeLessThan(0.1);
    const { rows, weights } = square(lineRule(81));
    const density = await flow.logProb(rows);
    expect(integral(density, weights)).toBeCloseTo(1, 3);
  });

  test("is reproducible, and the same on two threads up to rounding", async () => {
    const trained = async (threads: number) => {
      const flow = forTables(cnf(2, { hidden: [8] }));
      const { epochs } = await fit(flow, correlated(3), { ...SETTINGS, epochs: 3, threads });
      return epochs.map(({ validationLogDensity }) => validationLogDensity);
    };
    const one = await trained(1);
    const two = await trained(2);
    expect(await trained(2)).toEqual(two);
    one.forEach((v, i) => {
      expect(two[i]).toBeCloseTo(v, 4);
    });
  });

  test("fits a conditional density by flow matching", async () => {
    const context = new Random(5).normal(new Float64Array(ROWS));
    const noise = new Random(6).normal(new Float64Array(ROWS));
    const values = context.map((c, i) => 2 * c + 0.3 * noise[i]);
    const flow = forTables(cnf(1, { context: 1, hidden: [32, 32] }));
    await fit(flow, values, { ...SETTINGS, context, validation: undefined, epochs: 20 });
    const [near, far] = await flow.logProb([2, 2], [1, -1]);
    expect(near).toBeGreaterThan(-1);
    expect(far).toBeLessThan(near - 5);
  });

  test.each([
    ["another bijection", () => maf(2), "autoregressive"],
    [
      "trainable layers after it",
      () =>
        new Flow(
          new StandardNormal({ features: 2 }),
          new Chain([new Continuous({ features: 2 }, new Random(0)), new LULinear({ features: 2 })]),
        ),
      "the trainable parameter bijection.bijections.1.lower",
    ],
    [
      "a trainable base",
      () => cnf(2, { base: new StudentT({ features: 2 }) }),
      "the trainable parameter base.mean",
    ],
  ])("throws for a flow with %s", async (_, build, received) => {
    const message = await fit(build(), correlated(1), SETTINGS).catch((error: Error) => error.message);
    expect(message).toBe(
      `flow matching cannot train this flow: expected a continuous bijection next to the base, and no other trainable parameters, received ${received}.
Train it by maximum likelihood, or build it with cnf().`,
    );
  });
});
