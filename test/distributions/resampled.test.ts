import { describe, expect, test } from "vitest";
import { Resampled, StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { cumulative, integral, intervalRule, lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, logProb } from "./evaluate.ts";

const linear = { hidden: [] };
const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);

/** a(x) = sigmoid(w x + b) in one feature. */
function logistic(weight: number, bias: number, truncation: number): Resampled {
  const resampled = new Resampled({ features: 1, truncation, network: linear }, new Random(0));
  resampled.network.layers[0].weight.value = Float64Array.of(weight);
  resampled.network.layers[0].bias.value = Float64Array.of(bias);
  return resampled;
}

test("is initially standard normal", async () => {
  const rows = new Random(1).normal(new Float64Array(30));
  for (const features of [1, 2, 5]) {
    const resampled = await logProb(new Resampled({ features }, new Random(0)), rows);
    expectClose(resampled, await logProb(new StandardNormal({ features }), rows), 1e-13, "log-density");
  }
});

test.each([2, 5, 100])("with truncation %d has the log-density of its formula", async (T) => {
  const [w, b] = [1.5, -1];
  const a = (v: number) => 1 / (1 + Math.exp(-w * v - b));
  const rule = lineRule(4001, 12);
  const Z = rule.nodes.reduce(
    (sum, v, i) => sum + rule.weights[i] * a(v) * Math.exp(-0.5 * v * v - HALF_LOG_2_PI),
    0,
  );
  const q = (1 - Z) ** (T - 1);
  const x = [0, 1, -2, 3, -8];
  const expected = x.map((v) => -0.5 * v * v - HALF_LOG_2_PI + Math.log(((1 - q) * a(v)) / Z + q));
  expectClose(await logProb(logistic(w, b, T), x), expected, 1e-9, "log-density");
});

test.each([
  [3, 1],
  [40, -3],
])("with truncation %d and bias %d has samples with its density", async (T, bias) => {
  const resampled = logistic(2, bias, T);
  const rule = intervalRule(-8, 8, 4001);
  const density = (await logProb(resampled, rule.nodes)).map(Math.exp);
  const rows = await draw(resampled, 20_000);
  expect(kolmogorovSmirnov(rows, cumulative(rule, density))).toBeGreaterThan(1e-3);
});

test("has no NaN if all or no proposals are accepted", async () => {
  for (const bias of [-200, -40, 40, 200]) {
    for (const precision of ["float32", "float64"] as const) {
      const values = await logProb(logistic(0, bias, 10), [0, 1], precision);
      expectClose(values, [-HALF_LOG_2_PI, -0.5 - HALF_LOG_2_PI], 1e-5, `bias ${bias}`);
    }
  }
});

test.each([
  [1, 1e-9],
  [2, 1e-6],
  [3, 3e-4],
  [6, 3e-3],
])("with %d features computes Z of a smooth network to %d", async (features, tolerance) => {
  const make = (points?: number) => {
    const network = { hidden: [8], activation: "tanh" as const };
    const resampled = new Resampled({ features, truncation: 10, points, network }, new Random(0));
    perturb(parametersOf(resampled), 0.8);
    return resampled;
  };
  const rows = new Random(3).normal(new Float64Array(features * 10));
  const fine = await logProb(make(2 ** 17), rows);
  expectClose(await logProb(make(features <= 2 ? 1024 : undefined), rows), fine, tolerance, "log-density");
});

/** Rows near a circle of radius 1.5 for two features, or near two opposite corners of a cube for other numbers of features. */
function separatedRows(features: number, rows: number): Float64Array {
  const random = new Random(8);
  const noise = random.split("noise").normal(new Float64Array(rows * features));
  const uniform = random.split("angle").uniform(new Float64Array(rows));
  return noise.map((e, i) => {
    const row = Math.floor(i / features);
    const angle = 2 * Math.PI * uniform[row];
    const center = features === 2 ? 1.5 * (i % 2 ? Math.sin(angle) : Math.cos(angle)) : row % 2 ? 1.2 : -1.2;
    return center + 0.1 * e;
  });
}

// Training changes the acceptance function, for which the nodes of the quadrature must still suffice.
describe("integrates to 1 after training", () => {
  const trained = async (features: number) => {
    const base = new Resampled({ features }, new Random(0));
    await fit(new Flow(base), separatedRows(features, 3000), {
      epochs: 25,
      optimizer: { learningRate: 3e-3 },
    });
    return base;
  };

  test("with two features, by quadrature", async () => {
    const { rows, weights } = square(lineRule(401));
    expect(integral(await logProb(await trained(2), rows), weights)).toBeCloseTo(1, 3);
  });

  test("with five features, by importance sampling", async () => {
    const { mass, standardError } = await (await trained(5)).totalMass({ draws: 2 ** 21 });
    expect(standardError).toBeLessThan(0.0025);
    expect(Math.abs(mass - 1)).toBeLessThan(0.01);
  });
});

test("totalMass equals the integral by quadrature", async () => {
  const resampled = new Resampled({ features: 1, truncation: 10, points: 64 }, new Random(0));
  // The acceptance probability has a step between two nodes of a coarse grid, so that Z is wrong by some percent.
  const [first, ...rest] = resampled.network.layers;
  perturb(parametersOf(resampled), 0.5);
  first.weight.value.fill(30);
  for (const layer of rest) layer.weight.value = layer.weight.value.map((w) => 3 * w);
  const rule = intervalRule(-8, 8, 8001);
  const density = await logProb(resampled, rule.nodes);
  const total = integral(density, rule.weights);
  const { mass, standardError } = await resampled.totalMass();
  expect(Math.abs(total - 1)).toBeGreaterThan(0.01);
  expect(Math.abs(mass - total)).toBeLessThan(4 * standardError);
});

test("learns two modes", async () => {
  const random = new Random(4);
  const data = random.normal(new Float64Array(3000)).map((e, i) => (i % 2 === 0 ? 1.5 : -1.5) + 0.3 * e);
  const flow = new Flow(
    new Resampled({ features: 1, truncation: 50, network: { hidden: [16, 16], activation: "tanh" } }, random),
  );
  await fit(flow, data, { epochs: 60, optimizer: { learningRate: 0.02 } });
  const mean = (await flow.logProb(data)).reduce((a, b) => a + b) / data.length;
  // The true density has a mean log-density of -log 2 - log 0.3 - 1.42 = -0.91 nats, a single normal one of -1.85.
  expect(mean).toBeGreaterThan(-1.0);
  const rule = lineRule(2001, 10);
  const total = integral(await flow.logProb(rule.nodes, undefined, { precision: "float64" }), rule.weights);
  expect(Math.abs(total - 1)).toBeLessThan(1e-4);
  const rows = await flow.sample(2000);
  expect(rows.filter((v) => Math.abs(v) < 0.5).length).toBeLessThan(60);
  const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["x"], given: [] }));
  expect(await read.logProb(rows)).toEqual(await flow.logProb(rows));
});

test("a model file keeps any number of quadrature nodes", async () => {
  const points = 2 ** 18;
  const base = new Resampled({ features: 2, points, trainingPoints: points, network: linear }, new Random(0));
  const bytes = encodeModel({ flow: new Flow(base), columns: ["a", "b"], given: [] });
  const { flow } = await decodeModel(bytes);
  expect(flow.base.describe()).toEqual(base.describe());
});
