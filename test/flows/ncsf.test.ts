import { describe, expect, test } from "vitest";
import { ncsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";
import { integral, intervalRule } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { expectDensity } from "./expectDensity.ts";

type Options = NonNullable<Parameters<typeof ncsf>[1]>;
const options = { precision: "float64" } as const;
const shape = { transforms: 2, hidden: [8], activation: "tanh" as const, bins: 4, seed: 1 } satisfies Options;
const rule = intervalRule(-Math.PI, Math.PI, 401);
const trained = (features: number, more: Options) => {
  const flow = ncsf(features, { ...shape, ...more });
  perturb(flow.parameters(), 0.4);
  return flow;
};

describe.each([
  ["autoregressive", {}],
  ["coupling", { kind: "coupling" }],
  ["autoregressive given a context", { context: 1 }],
] as const)("ncsf, %s", (_, more) => {
  const flow = trained(2, more);
  const context = flow.context > 0 ? [0.7] : undefined;

  test("is a density on the torus, and the distribution of its samples", async () => {
    await expectDensity(flow, rule, 2e-4, context, 1e-8);
  });

  test("is continuous with the period 2 pi in each feature", async () => {
    const period = 2 * Math.PI;
    const step = 1e-7;
    for (const other of [-2, 0.3, 3]) {
      const pairs = [
        [Math.PI - step, other, -Math.PI + step, other],
        [other, Math.PI - step, other, -Math.PI + step],
        [1.2, other, 1.2 + period, other],
        [other, 1.2, other - period, 1.2 + period],
      ];
      for (const pair of pairs) {
        const [a, b] = await flow.logProb(pair, context, options);
        expect(Math.abs(a - b)).toBeLessThan(1e-5);
      }
    }
  });

  test("is invertible modulo 2 pi", async () => {
    const x = new Random(3).uniform(new Float64Array(400)).map((u) => 4 * Math.PI * (u - 0.5));
    const z = await flow.toLatent(x, context, options);
    const back = await flow.toData(z, context, options);
    x.forEach((v, i) => {
      expect(Math.abs(Math.sin((v - back[i]) / 2))).toBeLessThan(1e-9);
    });
  });
});

test("is initialized as uniform, for one feature and for three", async () => {
  for (const features of [1, 3]) {
    const flow = ncsf(features, shape);
    const x = new Random(1).uniform(new Float64Array(30 * features)).map((u) => 7 * (u - 0.5));
    for (const value of await flow.logProb(x, undefined, options))
      expect(value).toBeCloseTo(-features * Math.log(2 * Math.PI), 10);
  }
});

test("fits a von Mises distribution whose mean is at the boundary", async () => {
  const kappa = 4;
  const random = new Random(4);
  const angles: number[] = [];
  // Rejection sampling with a uniform proposal; the mean is pi.
  const u = random.uniform(new Float64Array(40_000));
  for (let i = 0; i < u.length; i += 2) {
    const x = 2 * Math.PI * (u[i] - 0.5);
    if (u[i + 1] < Math.exp(kappa * (-Math.cos(x) - 1))) angles.push(x);
  }
  const flow = ncsf(1, { transforms: 1 });
  const { validationLogDensity } = await fit(flow, angles, {
    epochs: 60,
    batchSize: 256,
    seed: 1,
    optimizer: { learningRate: 0.02 },
  });
  const besselI0 = intervalRule(0, Math.PI, 2001);
  const normalization = integral(
    besselI0.nodes.map((t) => kappa * Math.cos(t)),
    besselI0.weights,
  );
  const truth = angles.map((x) => -kappa * Math.cos(x) - Math.log(2 * normalization));
  const entropy = truth.reduce((a, b) => a + b) / truth.length;
  expect(Math.abs(validationLogDensity - entropy)).toBeLessThan(0.1);
  const [a, b, c] = await flow.logProb([Math.PI, -Math.PI, 0]);
  expect(Math.abs(a - b)).toBeLessThan(1e-3);
  expect(a - c).toBeGreaterThan(3);
});

test("has no batch normalization, which would map the circle onto another interval", () => {
  const wrong = { batchNorm: true } as object;
  expect(() => ncsf(2, wrong)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of ncsf is not valid: expected one of hidden, activation, residual, context, transforms, base, seed, ordering, orders, ensemble, kind, bins, received batchNorm.]`,
  );
});
