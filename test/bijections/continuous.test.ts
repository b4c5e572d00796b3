import { describe, expect, test } from "vitest";
import { Continuous } from "../../src/bijections/index.ts";
import { cnf } from "../../src/flows/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { fit } from "../../src/train/index.ts";
import { perturb } from "../nn/perturb.ts";
import { expectClose } from "./invariants.ts";
import { compileTrainingStep, meanLogDet, repeatRow, signCombinations } from "./trainingLogDet.ts";

test("the flow of a linear field is the matrix exponential, with the trace as log-determinant", async () => {
  const continuous = new Continuous({ features: 2, frequencies: 1, network: { hidden: [] } }, new Random(0));
  const [layer] = continuous.network.layers;
  // dy/dt = y A with A = [[a, b], [-b, a]]: growth by exp(a) and a rotation by b. The other rows are the weights of sin and cos.
  const [a, b] = [0.3, 1.1];
  layer.weight.value = Float64Array.of(a, b, -b, a, 0, 0, 0, 0);
  const run = compile(
    (z) => {
      const { value, logDet } = continuous.forward(z);
      return { value, logDet };
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const z = [1, 0, 0, 2, -0.5, 0.7];
  const { value, logDet } = await run(z);
  for (let r = 0; r < 3; r++) {
    const [p, q] = z.slice(2 * r);
    expect(value[2 * r]).toBeCloseTo(Math.exp(a) * (Math.cos(b) * p - Math.sin(b) * q), 10);
    expect(value[2 * r + 1]).toBeCloseTo(Math.exp(a) * (Math.sin(b) * p + Math.cos(b) * q), 10);
    expect(logDet[r]).toBeCloseTo(2 * a, 10);
  }
});

describe("Hutchinson's estimate of the divergence", () => {
  test.each([
    ["inverse", [5, 4, 5]],
    ["inverse", [6]],
    ["forward", [5, 4]],
  ] as const)(
    "averages over all signs to the exact log-determinant and gradient, %s, with %j units",
    async (direction, hidden) => {
      const D = 3;
      const network = { hidden: [...hidden] };
      const bijection = new Continuous({ features: D, network, trace: "hutchinson" }, new Random(0));
      perturb(parametersOf(bijection), 0.5);
      const row = [0.3, -1.2, 0.8];
      const exact = await compile(meanLogDet(bijection, direction), [["N", D]], { precision: "float64" })(
        row,
      );
      const { run, drawn } = compileTrainingStep(bijection, direction);
      const rows = repeatRow(row, 2 ** D);
      const mean = await run(rows, signCombinations(D));
      expect(drawn()).toHaveLength(1);
      expect(Math.abs(exact.logDet[0])).toBeGreaterThan(0.004);
      expectClose(mean.logDet, exact.logDet, 1e-9, "log-det");
      expectClose(mean.gradient, exact.gradient, 1e-8, "gradient by parameters");
      expectClose(mean.byRow, exact.byRow, 1e-8, "gradient by the row");
      // A single combination of signs has a different value.
      const one = await run(rows, new Float64Array(rows.length));
      expect(Math.abs(one.logDet[0] - exact.logDet[0])).toBeGreaterThan(0.01);
    },
  );

  test("trains a flow of 18 features by maximum likelihood, whose densities are exact", async () => {
    const [D, rows] = [18, 192];
    // Pairs of features, the second of which is near the square of the first.
    const normal = new Random(4).normal(new Float64Array(rows * D));
    const data = normal.map((v, i) => (i % 2 === 0 ? v : 0.3 * v + normal[i - 1] ** 2 - 1));
    const flow = cnf(D, { hidden: [16, 16, 16], tolerance: 1e-3 });
    const mean = async () => (await flow.logProb(data)).reduce((a, b) => a + b) / rows;
    const start = await mean();
    await fit(flow, data, { epochs: 12, batchSize: 64, optimizer: { learningRate: 0.02 }, patience: 12 });
    const trained = await mean();
    expect(trained).toBeGreaterThan(start + 2);
    expect(await mean()).toBe(trained);
  });

  test("is the default in training above 16 features with more than two hidden layers", () => {
    const draws = (features: number, hidden: number[], trace?: "exact" | "hutchinson") => {
      const bijection = new Continuous({ features, network: { hidden }, trace }, new Random(0));
      return traceLoss(() => bijection.inverse(input("x", ["N", features]))).randomInputs.length > 0;
    };
    expect(draws(17, [4, 4, 4])).toBe(true);
    expect(draws(16, [4, 4, 4])).toBe(false);
    expect(draws(17, [4, 4])).toBe(false);
    expect(draws(17, [4, 4, 4], "exact")).toBe(false);
    expect(draws(2, [4], "hutchinson")).toBe(true);
  });
});
