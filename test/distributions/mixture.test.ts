import { describe, expect, test } from "vitest";
import { identityOrder, randomOrder } from "../../src/bijections/index.ts";
import {
  GaussianMixture,
  Made,
  Mixture,
  StandardNormal,
  type TransformedDistribution,
  Uniform,
} from "../../src/distributions/index.ts";
import { Flow, maf, mixtureFlow, nsf } from "../../src/flows/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile, type Floats } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { integral, lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, gradients, logProb } from "./evaluate.ts";
import { allBits } from "./perturbedMade.ts";

const float64 = { precision: "float64" } as const;

function perturbed(flow: Flow, seed = 1): Flow {
  perturb(flow.parameters(), 0.3, seed);
  return flow;
}

const flows = () => [
  perturbed(maf(2, { transforms: 2, hidden: [8], activation: "tanh", seed: 1 }), 1),
  perturbed(nsf(2, { kind: "coupling", transforms: 2, hidden: [8], seed: 2 }), 2),
  perturbed(new Flow(new StandardNormal({ features: 2 })), 3),
];

describe("a mixture of flows", () => {
  test("has the weighted sum of the densities of its flows", async () => {
    const parts = flows();
    const weights = [3, 1, 6];
    const mixture = mixtureFlow(parts, { weights });
    const x = new Random(4).normal(new Float64Array(2 * 30));
    const each = await Promise.all(parts.map((flow) => flow.logProb(x, undefined, float64)));
    const expected = each[0].map((_, r) =>
      Math.log(each.reduce((sum, values, k) => sum + (weights[k] / 10) * Math.exp(values[r]), 0)),
    );
    // The weights are stored in float32.
    expectClose(await mixture.logProb(x, undefined, float64), expected, 1e-6, "log-density");
    expect(mixture.describe().base.distributions).toHaveLength(3);
    expect(
      mixture
        .parameters()
        .has("base.distributions.0.bijection.bijections.0.network.layers.0.blocks.0.weight"),
    ).toBe(true);
  });

  test("integrates to 1, and a model file preserves it", async () => {
    const mixture = mixtureFlow(flows());
    const grid = square(lineRule(401, 40));
    const values = await mixture.logProb(grid.rows, undefined, float64);
    expect(Math.abs(integral(values, grid.weights) - 1)).toBeLessThan(1e-4);
    const { flow: read } = await decodeModel(encodeModel({ flow: mixture, columns: ["a", "b"], given: [] }));
    const rows = await mixture.sample(50);
    expect(await read.logProb(rows)).toEqual(await mixture.logProb(rows));
    expect(await read.sample(50)).toEqual(rows);
  });

  test("draws its components with the probabilities of their weights", async () => {
    const separated = new Mixture(
      [0, 10, 20].map((low) => new Uniform({ features: 1, low, high: low + 1 })),
      { weights: [0.5, 0.2, 0.3] },
    );
    const n = 20_000;
    const rows = await draw(separated, n);
    [0.5, 0.2, 0.3].forEach((weight, k) => {
      const count = rows.filter((x) => Math.floor(x / 10) === k).length;
      expect(Math.abs(count - n * weight)).toBeLessThan(4 * Math.sqrt(n * weight * (1 - weight)));
    });
    // Outside of all supports the density and its gradient are 0.
    expect([...(await logProb(separated, [5, 0.5]))][0]).toBe(Number.NEGATIVE_INFINITY);
    for (const gradient of await gradients(separated, [5, 0.5, 30]))
      expect([...gradient].every(Number.isFinite)).toBe(true);
  });

  test("trains its weights only if `learned` is true", async () => {
    const data = new Random(1).normal(new Float64Array(1000)).map((e, i) => (i % 5 === 0 ? 8 + e : e));
    const make = (learned: boolean) => {
      const flow = mixtureFlow([maf(1, { transforms: 1 }), maf(1, { transforms: 1 })], { learned });
      const bias = [...flow.parameters()].find(
        ([name]) => name.startsWith("base.distributions.1") && name.endsWith("bias"),
      )![1];
      // The second flow is initialized with z = x - 8.
      bias.value[0] = -8;
      return flow;
    };
    const options = { epochs: 30, optimizer: { learningRate: 0.05 } };
    const [learned, fixed] = [make(true), make(false)];
    await fit(learned, data, options);
    await fit(fixed, data, options);
    const weightsOf = (flow: Flow) => Array.from((flow.base as Mixture).logWeights.value, Math.exp);
    const [a, b] = weightsOf(learned);
    expect(a / (a + b)).toBeCloseTo(0.8, 1);
    expectClose(weightsOf(fixed), [0.5, 0.5], 1e-7, "fixed weights");
  });

  test("standardizes the data separately in each flow", async () => {
    const random = new Random(2);
    const data = random.normal(new Float64Array(2000)).map((e, i) => (i % 2 === 0 ? 1000 + 50 * e : e));
    const mixture = mixtureFlow([
      forTables(maf(2, { transforms: 1, hidden: [8] })),
      forTables(
        new Flow(
          new GaussianMixture({ features: 2, components: 2 }, random),
          maf(2, { hidden: [8], transforms: 1 }).bijection,
        ),
      ),
    ]);
    await fit(mixture, data, { epochs: 2 });
    const [first, second] = (mixture.base as Mixture).distributions as TransformedDistribution[];
    for (const { bijection } of [first, second]) {
      const { bijections } = bijection as unknown as { bijections: { center?: { value: Float64Array } }[] };
      expect(Math.abs(bijections.at(-1)!.center!.value[0] - 1000)).toBeLessThan(10);
    }
    const entropy = Math.log(50) + 2 * (0.5 * Math.log(2 * Math.PI) + 0.5);
    const mean = (await mixture.logProb(data)).reduce((a, b) => a + b) / 1000;
    expect(Math.abs(mean + entropy)).toBeLessThan(0.2);
  });
});

describe("an ensemble over orderings", () => {
  const D = 5;
  const models = [0, 1, 2].map((k) => {
    const order = k === 0 ? identityOrder(D) : randomOrder(D, new Random(k));
    return new Made(
      { order, outputs: "bernoulli", network: { hidden: [10], activation: "tanh" } },
      new Random(k),
    );
  });
  models.forEach((model, k) => {
    perturb(parametersOf(model), 1, k);
  });

  test("averages the probabilities of rows, which sum to 1; averages of logits do not", async () => {
    const rows = allBits(D);
    const ensemble = mixtureFlow(
      models.map((model) => new Flow(model)),
      { learned: false },
    );
    const each = await Promise.all(models.map((model) => logProb(model, rows)));
    const averages = each[0].map((_, r) => each.reduce((sum, values) => sum + Math.exp(values[r]) / 3, 0));
    const probabilities = (await ensemble.logProb(rows, undefined, float64)).map(Math.exp);
    expectClose(probabilities, averages, 1e-7, "probability");
    expect(Math.abs(total(probabilities) - 1)).toBeLessThan(1e-12);

    const logitsAveraged = compile(
      (x) => {
        const logits = models.map(({ network }) => network.apply(x)).reduce((a, b) => a.add(b));
        return x.mul(-2).add(1).mul(logits.div(3)).softplus().sum(1).neg().exp();
      },
      [["N", D]],
      float64,
    );
    expect(Math.abs(total(await logitsAveraged(rows)) - 1)).toBeGreaterThan(0.01);
  });
});

const total = (values: Floats) => (values as Float64Array).reduce((a, b) => a + b);

describe("invalid arguments are errors", () => {
  const normal = (features: number) => new StandardNormal({ features });
  test("of a mixture", () => {
    expect(() => new Mixture([])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a mixture needs at least one distribution.]`,
    );
    expect(() => new Mixture([normal(1), normal(2)])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: distribution 1 of a mixture has a different shape from the others: expected 1 features, and 0 context features or none, received 2 features and 0 context features.]`,
    );
    expect(() => new Mixture([normal(1)], { weights: [1, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a mixture needs one weight for each distribution: expected 1, received 2.]`,
    );
    expect(() => new Mixture([normal(1)], { weights: [0] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a mixture is not valid at weights.0: expected more than 0, received 0.]`,
    );
    expect(() =>
      mixtureFlow([maf(2, { context: 1 }), maf(2, { context: 2 })]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: distribution 0 of a mixture has a different shape from the others: expected 2 features, and 2 context features or none, received 2 features and 1 context features.]`,
    );
  });
});
