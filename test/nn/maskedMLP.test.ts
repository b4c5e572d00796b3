import { describe, expect, test } from "vitest";
import { jacobian } from "../../src/graph/grad.ts";
import { concat, input, type Tensor } from "../../src/graph/tensor.ts";
import { MaskedMLP } from "../../src/nn/maskedMLP.ts";
import { type NetworkOptions, networkSchema } from "../../src/nn/mlp.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "./perturb.ts";

const ROWS = 5;
const OUTPUTS = 2;

const sizes = [1, 2, 3, 4, 7].flatMap((features) => [0, 2].map((context) => ({ features, context })));
const networks: NetworkOptions[] = [
  { hidden: [] },
  { hidden: [16] },
  { hidden: [20, 11], activation: "elu" },
  // Fewer units than degrees.
  { hidden: [3, 2], activation: "tanh" },
  { hidden: [1] },
  { hidden: [8], residual: true, activation: "tanh" },
  { hidden: [9, 9, 9], residual: true, activation: "silu" },
  { hidden: [2, 2, 2, 2], residual: true, activation: "softplus" },
];
/** Wide enough for two blocks, and for more of them. */
const wideNetworks: NetworkOptions[] = [
  { hidden: [130, 128] },
  { hidden: [128, 128, 128], residual: true, activation: "tanh" },
  { hidden: [520, 40] },
  { hidden: [400, 400, 400], residual: true, activation: "tanh" },
];

/** A network with random weights over features in random order, with `OUTPUTS` outputs for each feature. */
function build(features: number, context: number, options: NetworkOptions, hiddenDegrees?: Random) {
  const random = new Random(features);
  const order = [...random.permutation(features)];
  const degree = Array.from({ length: features }, (_, feature) => order.indexOf(feature) + 1);
  const outputDegrees = Array.from({ length: OUTPUTS * features }, (_, i) => degree[i % features]);
  const network = new MaskedMLP(
    { inputDegrees: degree, outputDegrees, context, hiddenDegrees },
    networkSchema.parse(options),
    random,
  );
  perturb(parametersOf(network));
  return { network, order, degree, outputDegrees };
}

/** The incremental evaluation must return the same inverse as D passes of the whole network. */
async function expectIncrementalInverse(
  { network, order }: ReturnType<typeof build>,
  { features: D, context: C }: { features: number; context: number },
): Promise<void> {
  const shapes = [["N", D] as const, ...(C > 0 ? [["N", C] as const] : [])];
  // x = z exp(tanh a) + b with a and b of each feature from those before it.
  const step = (z: Tensor, raw: Tensor) => {
    const half = (raw.shape.at(-1) as number) / 2;
    const [a, b] = raw.split(-1, [half, half]);
    return z.mul(a.tanh().exp()).add(b);
  };
  const inverse = compile(
    (z, context) => {
      const incremental = network.incremental(context);
      const values: Tensor[] = [];
      order.forEach((feature, k) => {
        const raw = incremental.outputs(k + 1);
        values[feature] = step(z.slice(1, feature, feature + 1), raw);
        if (k < D - 1) incremental.addInputs(k + 1, values[feature]);
      });
      return concat(values, 1);
    },
    shapes,
    { precision: "float64" },
  );
  const pass = compile((z, x, context) => step(z, network.apply(x, context)), [["N", D], ...shapes], {
    precision: "float64",
  });
  const z = new Random(1).normal(new Float64Array(ROWS * D));
  const context = C > 0 ? [new Random(2).normal(new Float64Array(ROWS * C))] : [];
  let x: ArrayLike<number> = new Float64Array(ROWS * D);
  for (let i = 0; i < D; i++) x = await pass(z, x, ...context);
  expectClose(await inverse(z, ...context), x, 1e-10, "x");
}

describe.each([...networks, ...wideNetworks])("network %j", (options) => {
  const isWide = wideNetworks.includes(options);
  const ofWide = [4, 7, ...(options === wideNetworks[0] ? [1] : [])];
  test.each(sizes.filter(({ features }) => !isWide || ofWide.includes(features)))(
    "is inverted by the incremental evaluation as by D passes: $features features, $context context features",
    (size) => expectIncrementalInverse(build(size.features, size.context, options), size),
  );
});

test.each([
  [20, [2]],
  [30, [3, 9]],
])(
  "inverts %d features with hidden layers of %j units, which are fewer than the groups of degrees",
  (features, hidden) => expectIncrementalInverse(build(features, 0, { hidden }), { features, context: 0 }),
);

describe("random hidden degrees", () => {
  const options: NetworkOptions[] = [
    { hidden: [12, 12], activation: "tanh" },
    { hidden: [5, 9, 40], activation: "tanh" },
    { hidden: [6, 6, 6], residual: true, activation: "tanh" },
  ];
  const cases = [4, 12].flatMap((features) =>
    [0, 2].flatMap((context) => options.map((network) => ({ features, context, network }))),
  );

  test.each(cases)("are inverted by the incremental evaluation: %j", ({ network, ...size }) =>
    expectIncrementalInverse(build(size.features, size.context, network, new Random(3)), size),
  );

  test("are sorted, keep the network autoregressive, and depend on the seed only", async () => {
    const degrees = (seed: number) => {
      const { network } = build(6, 0, { hidden: [30, 30] }, new Random(seed));
      return network.layers.map((layer) => layer.inputDegrees);
    };
    const [, first, second] = degrees(1);
    expect(degrees(1)).toEqual(degrees(1));
    expect(degrees(2)).not.toEqual(degrees(1));
    for (const layer of [first, second]) {
      expect(layer).toEqual([...layer].sort((a, b) => a - b));
      expect(Math.min(...layer)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...layer)).toBeLessThan(6);
    }
    expect(second[0]).toBeGreaterThanOrEqual(first[0]);

    const { network, degree, outputDegrees } = build(6, 0, { hidden: [30, 30] }, new Random(1));
    const run = compile((x) => jacobian(network.apply(x), x), [["N", 6]], { precision: "float64" });
    const matrix = await run(new Random(1).normal(new Float64Array(6)));
    outputDegrees.forEach((output, j) => {
      degree.forEach((input, i) => {
        if (input >= output) expect(matrix[j * 6 + i]).toBe(0);
      });
    });
  });
});

test.each(sizes)(
  "output j depends on all inputs before it and on no others: $features features, $context context features",
  async (size) => {
    const { features: D, context: C } = size;
    for (const options of [
      { hidden: [] },
      { hidden: [16, 24], activation: "tanh" as const },
      { hidden: [300, 520], activation: "tanh" as const },
    ]) {
      const { network, degree, outputDegrees } = build(D, C, options);
      const shapes = [["N", D] as const, ...(C > 0 ? [["N", C] as const] : [])];
      const byInputs = compile((x, context) => jacobian(network.apply(x, context), x), shapes, {
        precision: "float64",
      });
      const x = new Random(1).normal(new Float64Array(D));
      const context = C > 0 ? [new Random(2).normal(new Float64Array(C))] : [];
      const matrix = await byInputs(x, ...context);
      outputDegrees.forEach((outputDegree, j) => {
        degree.forEach((inputDegree, i) => {
          if (inputDegree < outputDegree) expect(matrix[j * D + i]).not.toBe(0);
          else expect(matrix[j * D + i]).toBe(0);
        });
      });
      if (C === 0) continue;
      const byContext = compile((x, context) => jacobian(network.apply(x, context), context), shapes, {
        precision: "float64",
      });
      expect((await byContext(x, ...context)).every((d) => d !== 0)).toBe(true);
    }
  },
);

test("with fewer units than degrees the last output still depends on all inputs before it", async () => {
  const { network, degree } = build(7, 0, { hidden: [2], activation: "tanh" });
  const run = compile((x) => jacobian(network.apply(x), x), [["N", 7]], { precision: "float64" });
  const matrix = await run(new Random(1).normal(new Float64Array(7)));
  const last = degree.indexOf(7);
  expect(Array.from({ length: 7 }, (_, i) => matrix[last * 7 + i] !== 0)).toEqual(degree.map((d) => d < 7));
});

test("a missing context and wrong numbers of columns are errors", () => {
  const { network } = build(3, 2, { hidden: [16] });
  const rows = (columns: number) => input("rows", ["N", columns]);
  expect(() => network.apply(rows(3))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the context of a network is missing: expected 2, received none.]`,
  );
  expect(() => network.incremental()).toThrow("the context of a network is missing");
  expect(() => network.apply(rows(3), rows(1))).toThrow("expected 2, received 1");
  expect(() => network.apply(rows(2), rows(2))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the input of a network has a wrong number of features: expected 3, received 2.]`,
  );
  expect(() => build(3, 0, { hidden: [16] }).network.apply(rows(3), rows(1))).toThrow(
    "expected 0, received 1",
  );
});
