import { describe, expect, test } from "vitest";
import { Autoregressive, type Bijection, Coupling, Invert, randomOrder } from "../../src/bijections/index.ts";
import { Ensemble } from "../../src/distributions/index.ts";
import { type Flow, iaf, maf, nsf, realNVP } from "../../src/flows/index.ts";
import { jacobian } from "../../src/graph/grad.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { withVariant } from "../../src/graph/tracing/variant.ts";
import type { NetworkOptions } from "../../src/nn/mlp.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit, fitDensity } from "../../src/train/index.ts";
import { integral, lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { copyParameters, expectClose, expectLogDeterminants } from "./invariants.ts";

const D = 4;
const M = 3;
const float64 = { precision: "float64" } as const;
const network: NetworkOptions = { hidden: [9, 9], activation: "tanh" };
const spline = { type: "rationalQuadraticSpline", bins: 3 } as const;
const order = [...randomOrder(D, new Random(1))];
const mask = [true, false, false, true];
const x = new Random(2).normal(new Float64Array(6 * D));

function perturbed<T extends Bijection>(bijection: T): T {
  perturb(parametersOf(bijection), 0.5);
  return bijection;
}

const cases: [string, (orders: number) => Bijection][] = [
  ["autoregressive", (orders) => new Autoregressive({ order, network, orders }, new Random(3))],
  [
    "autoregressive spline",
    (orders) => new Autoregressive({ order, network, orders, transform: spline }, new Random(3)),
  ],
  ["IAF", (orders) => new Invert(new Autoregressive({ order, network, orders, seed: 5 }, new Random(3)))],
  ["coupling", (masks) => new Coupling({ mask, network, masks }, new Random(3))],
  ["coupling spline", (masks) => new Coupling({ mask, network, masks, transform: spline }, new Random(3))],
  [
    "coupling without hidden layers",
    (masks) => new Coupling({ mask, network: { hidden: [] }, masks }, new Random(3)),
  ],
];

describe.each(cases)("%s", (name, build) => {
  const bijection = perturbed(build(M));
  const roundTrip = (u: Tensor) => {
    const { value, logDet } = bijection.inverse(u);
    const back = bijection.forward(value);
    return { value, logDet, back: back.value, backLogDet: back.logDet };
  };
  const underOrder = (m: number) => withVariant(m, () => compile(roundTrip, [["N", D]], float64))(x);

  test("is invertible under each order, with the log-determinant of the Jacobian", async () => {
    for (let m = 0; m < M; m++) {
      const { value, logDet, back, backLogDet } = await underOrder(m);
      expectClose(back, x, 1e-9, `order ${m}`);
      expectClose(
        backLogDet,
        logDet.map((v) => -v),
        1e-9,
        `log-det of order ${m}`,
      );
      const J = await withVariant(m, () =>
        compile((u) => jacobian(bijection.inverse(u).value, u), [["N", D]], float64),
      )(x);
      expectLogDeterminants(J, logDet, D);
      if (m > 0) expect([...value]).not.toEqual([...(await underOrder(0)).value]);
    }
  });

  test("uses the drawn order in training, in both directions", async () => {
    let drawn: ReturnType<typeof traceLoss>["randomInputs"] = [];
    const run = compile(
      (u) => {
        const traced = traceLoss(() => roundTrip(u));
        drawn = traced.randomInputs;
        return traced.result;
      },
      [["N", D]],
      float64,
      { inputs: () => drawn.map(({ tensor }) => tensor) },
    );
    expect(drawn).toHaveLength(1);
    for (let m = 0; m < M; m++) {
      const [chosen, expected] = [
        await run(
          x,
          [0, 1, 2].map((i) => +(i === m)),
        ),
        await underOrder(m),
      ];
      for (const key of ["value", "logDet", "back"] as const)
        expectClose(chosen[key], expected[key], 1e-12, `${key} of order ${m}`);
    }
  });

  // A coupling of several masks has weights for all features, of which each mask uses a part.
  if (!name.startsWith("coupling"))
    test("equals a bijection of one order with the same weights under the first order", async () => {
      const single = build(1);
      copyParameters(bijection, single);
      expectClose(
        (await underOrder(0)).value,
        await compile((u) => single.inverse(u).value, [["N", D]], float64)(x),
        1e-12,
        "z",
      );
    });
});

test("a coupling of several masks uses the part of its weights that belongs to the mask", async () => {
  const several = perturbed(new Coupling({ mask, network, masks: M }, new Random(3)));
  const single = new Coupling({ mask, network }, new Random(0));
  const [kept, changed] = [
    [0, 3],
    [1, 2],
  ];
  const columns = [...changed, ...changed.map((i) => D + i)];
  const pick = (values: ArrayLike<number>, width: number, rows: number[], chosen: number[]) =>
    Float64Array.from(rows.flatMap((r) => chosen.map((c) => values[r * width + c])));
  const all = Array.from({ length: 9 }, (_, i) => i);
  const [a, b] = [several.network.layers, single.network.layers];
  a.forEach(({ weight, bias }, i) => {
    const rows = i === 0 ? kept : all;
    const chosen = i === 2 ? columns : all;
    b[i].weight.value = pick(weight.value, weight.sizes[1], rows, chosen);
    b[i].bias.value = pick(bias.value, weight.sizes[1], [0], chosen);
  });
  const through = (c: Coupling) => compile((u) => c.inverse(u).value, [["N", D]], float64)(x);
  expectClose(await through(several), await through(single), 1e-12, "z");
});

/** Rows of a ring of radius 2. */
const ring = (n: number, seed = 1) => {
  const random = new Random(seed);
  const angle = random.split("angle").uniform(new Float64Array(n));
  const noise = random.split("noise").normal(new Float64Array(n));
  return Float64Array.from({ length: 2 * n }, (_, i) => {
    const row = Math.floor(i / 2);
    const radius = 2 + 0.3 * noise[row];
    return radius * (i % 2 === 0 ? Math.cos : Math.sin)(2 * Math.PI * angle[row]);
  });
};

const shape = { hidden: [16], transforms: 2, orders: 2, seed: 4 };

describe.each<[string, () => Flow]>([
  ["MAF", () => maf(2, shape)],
  ["MAF ensemble", () => maf(2, { ...shape, ensemble: true })],
  ["IAF", () => iaf(2, shape)],
  ["RealNVP ensemble", () => realNVP(2, { ...shape, ensemble: true })],
  ["NSF ensemble for tables", () => forTables(nsf(2, { ...shape, ensemble: true, bins: 4 }))],
])("a flow: %s", (_name, build) => {
  test("trains, integrates to 1, and is saved and loaded", async () => {
    const flow = build();
    const start = (await flow.logProb(ring(200, 2))).reduce((a, b) => a + b) / 200;
    const { validationLogDensity } = await fit(flow, ring(600), {
      epochs: 8,
      optimizer: { learningRate: 0.01 },
    });
    expect(validationLogDensity).toBeGreaterThan(start + 0.05);
    const { rows, weights } = square(lineRule(201, 30));
    expect(integral(await flow.logProb(rows, undefined, float64), weights)).toBeCloseTo(1, 3);
    const { flow: read } = await decodeModel(encodeModel({ flow, columns: ["a", "b"], given: [] }));
    expect(await read.logProb(ring(20, 3))).toEqual(await flow.logProb(ring(20, 3)));
    const { samples, logProb } = await flow.sampleAndLogProb(100, float64);
    expectClose(await flow.logProb(samples, undefined, float64), logProb, 1e-8, "log-density of samples");
  });
});

test("fitDensity draws and scores a batch under one order", async () => {
  const flow = maf(2, { ...shape, ensemble: true });
  const logDensity = (u: Tensor) => u.sub(1).square().sum(1).mul(-0.5);
  const { logNormalizer } = await fitDensity(flow, logDensity, { steps: 300, batchSize: 64 });
  expect(Math.abs(logNormalizer - Math.log(2 * Math.PI))).toBeLessThan(0.03);
});

test("a recipe draws other orders for each layer", () => {
  const flow = maf(5, { transforms: 2, orders: 4 });
  const bijections = flow.describe().bijection.bijections as { orders: number; seed: number }[];
  expect(bijections.map(({ orders, seed }) => [orders, seed])).toEqual([
    [4, 1],
    [4, 0],
  ]);
  expect(maf(5, { orders: 4, ensemble: true }).base).toBeInstanceOf(Ensemble);
});
