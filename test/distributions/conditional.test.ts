import { expect, test } from "vitest";
import { Actnorm, Chain } from "../../src/bijections/index.ts";
import { DiagonalNormal } from "../../src/distributions/index.ts";
import { Flow, maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { columnOf, kolmogorovSmirnov } from "../mathematics/kolmogorovSmirnov.ts";
import { normalProbability } from "../mathematics/normalProbability.ts";
import { perturb } from "../nn/perturb.ts";

const D = 2;
const C = 3;
const float64 = { precision: "float64" } as const;
const normal = (size: number, seed: number) => new Random(seed).normal(new Float64Array(size));

/** A conditional normal with a linear network: m = W c + b and s = softClamp(U c + d). */
const linear = () => new DiagonalNormal({ features: D, context: C, network: { hidden: [] } });

/** log N(x; m(c), exp(2 s(c))), computed with plain loops. */
function direct(base: DiagonalNormal, x: ArrayLike<number>, context: ArrayLike<number>): number[] {
  const { weight, bias } = base.network!.layers[0];
  const output = (r: number, j: number) =>
    Array.from({ length: C }, (_, c) => context[r * C + c] * weight.value[c * 2 * D + j]).reduce(
      (a, b) => a + b,
      bias.value[j],
    );
  const bound = Math.log(1000);
  return Array.from({ length: x.length / D }, (_, r) =>
    Array.from({ length: D }, (_, i) => {
      const raw = output(r, D + i);
      const s = base.logDeviation.value[i] + raw / (1 + Math.abs(raw) / bound);
      const z = (x[r * D + i] - base.mean.value[i] - output(r, i)) / Math.exp(s);
      return -0.5 * z * z - s - 0.5 * Math.log(2 * Math.PI);
    }).reduce((a, b) => a + b),
  );
}

test("a conditional normal is initially standard normal for every context", async () => {
  const flow = new Flow(new DiagonalNormal({ features: 1, context: 1 }));
  expectClose(
    await flow.logProb([0, 1, -2], [0, 5, -100], float64),
    [0, 1, -2].map((x) => -0.5 * x * x - 0.5 * Math.log(2 * Math.PI)),
    1e-14,
    "log-density",
  );
});

test("a linear Gaussian has its closed form, with and without an affine bijection", async () => {
  const base = linear();
  const actnorm = new Actnorm({ features: D });
  const flow = new Flow(base, new Chain([actnorm]));
  perturb(flow.parameters(), 0.5);
  expect(flow.context).toBe(C);
  const [x, context] = [normal(20 * D, 1), normal(20 * C, 2)];
  const z = x.map((v, i) => (v - actnorm.shift.value[i % D]) * Math.exp(-actnorm.logScale.value[i % D]));
  const logDet = -(actnorm.logScale.value[0] + actnorm.logScale.value[1]);
  const expected = direct(base, z, context).map((v) => v + logDet);
  expectClose(await flow.logProb(x, context, float64), expected, 1e-12, "log-density");
  expectClose(await flow.toLatent(x, context, float64), z, 1e-12, "z");
  const { samples, logProb } = await flow.sampleAndLogProb(20, { context, ...float64 });
  expectClose(await flow.logProb(samples, context, float64), logProb, 1e-10, "log-density of samples");
});

test("samples depend on the context", async () => {
  const base = linear();
  base.network!.layers[0].weight.value.set([1, -1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const context = [2, 0, 0];
  const rows = await new Flow(base).sample(20_000, { context, ...float64 });
  // m = (2, -2), s_0 = softClamp(1), s_1 = 0.
  const deviation = Math.exp(1 / (1 + 1 / Math.log(1000)));
  const pValue = (d: number, mean: number, deviation: number) =>
    kolmogorovSmirnov(columnOf(rows, D, d), (v) => normalProbability((v - mean) / deviation));
  expect(pValue(0, 2, deviation)).toBeGreaterThan(1e-3);
  expect(pValue(1, -2, 1)).toBeGreaterThan(1e-3);
});

test("a conditional normal learns a regression, and a model file preserves it", async () => {
  const rows = 2000;
  const context = normal(rows, 3);
  const y = normal(rows, 4).map((e, i) => 2 * context[i] - 1 + 0.5 * e);
  const flow = new Flow(new DiagonalNormal({ features: 1, context: 1, network: { hidden: [] } }));
  await fit(flow, y, { context, epochs: 200, batchSize: 200, optimizer: { learningRate: 0.02 } });
  const truth = -Math.log(0.5) - 0.5 * Math.log(2 * Math.PI) - 0.5;
  const mean = (await flow.logProb(y, context)).reduce((a, b) => a + b) / rows;
  expect(Math.abs(mean - truth)).toBeLessThan(0.05);
  const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["y"], given: ["c"] }));
  expect(await read.logProb(y, context)).toEqual(await flow.logProb(y, context));
});

test("base and bijection must have contexts of the same size", async () => {
  const base = new DiagonalNormal({ features: 2, context: 2, network: { hidden: [4] } });
  const flow = maf(2, { base, context: 2, hidden: [4] });
  expect(flow.context).toBe(2);
  expect(maf(2, { base, hidden: [4] }).context).toBe(2);
  await expect(flow.logProb([1, 2])).rejects.toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  expect(() => maf(2, { base, context: 1, hidden: [4] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the base distribution and the bijection have different contexts: expected 1 context features or none, received 2.]`,
  );
});
