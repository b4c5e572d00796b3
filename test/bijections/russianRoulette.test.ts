import { describe, expect, test } from "vitest";
import { Residual, type ResidualOptions } from "../../src/bijections/index.ts";
import { jacobian } from "../../src/graph/grad.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile, type Floats } from "../../src/runtime/compile.ts";
import { perturb } from "../nn/perturb.ts";
import { expectClose, expectLogDeterminants } from "./invariants.ts";
import { compileTrainingStep, meanLogDet, repeatRow, signCombinations } from "./trainingLogDet.ts";

const float64 = { precision: "float64" } as const;

/** A residual layer with random weights and a large diagonal, whose Jacobian is near the Lipschitz bound. */
function steep(options: Omit<ResidualOptions, "trace">): Residual {
  const bijection = new Residual({ ...options, trace: "hutchinson" }, new Random(0));
  perturb(parametersOf(bijection), 0.3);
  for (const { weight, bias } of bijection.network) {
    const columns = weight.sizes[1];
    weight.value = Float64Array.from(weight.value, (v, k) => (k % (columns + 1) === 0 ? v + 2 : v));
    bias.value = Float64Array.from(bias.value, (v) => v + 1.5);
  }
  return bijection;
}

describe.each(["inverse", "forward"] as const)(
  "the Russian roulette estimate of a residual flow, %s",
  (direction) => {
    test("averages over all possible draws to the exact log-determinant and gradient", async () => {
      const [D, c] = [3, 0.7];
      const bijection = steep({ features: D, hidden: [4, 3], lipschitz: c });
      const row = [0.3, -1.2, 0.8];
      const exact = await compile(meanLogDet(bijection, direction), [["N", D]], float64)(row);
      const { run } = compileTrainingStep(bijection, direction);
      const mean: Record<string, number[]> = { logDet: [], gradient: [], byRow: [] };
      for (let terms = 2; terms < 90; terms++) {
        const probability = (1 - c) * c ** (terms - 2);
        const estimate: Record<string, Floats> = await run(repeatRow(row, 2 ** D), signCombinations(D), [
          terms,
        ]);
        for (const [key, sums] of Object.entries(mean))
          estimate[key].forEach((v, i) => {
            sums[i] = (sums[i] ?? 0) + probability * v;
          });
      }
      expect(Math.abs(exact.logDet[0])).toBeGreaterThan(0.3);
      expectClose(mean.logDet, exact.logDet, 1e-10, "log-det");
      expectClose(mean.gradient, exact.gradient, 1e-10, "gradient by parameters");
      expectClose(mean.byRow, exact.byRow, 1e-10, "gradient by the row");
    });
  },
);

test("random training steps average to the log-determinant of 20 features", async () => {
  const [D, rows, steps, c] = [20, 64, 400, 0.8];
  const bijection = steep({ features: D, hidden: [24], lipschitz: c });
  const row = new Random(1).normal(new Float64Array(D));
  const exact = await compile(meanLogDet(bijection, "inverse"), [["N", D]], float64)(row);
  const { run, drawn } = compileTrainingStep(bijection, "inverse");
  const numbers: number[] = [];
  const drawnFor = (step: number) =>
    drawn().map((each, k) => {
      const values = new Float64Array(each.perRow ? rows * D : 1);
      each.fill({ random: new Random(3).split(step).split(k), step }, values, 0);
      return values;
    });
  const values: { logDet: number; along: number }[] = [];
  for (let step = 0; step < steps; step++) {
    const [signs, terms] = drawnFor(step);
    numbers.push(terms[0]);
    const { logDet, gradient } = await run(repeatRow(row, rows), signs, terms);
    // The component along the exact gradient.
    const along = Array.from(gradient).reduce((sum, v, i) => sum + v * exact.gradient[i], 0);
    values.push({ logDet: logDet[0], along });
  }
  const expected = {
    logDet: exact.logDet[0],
    along: Array.from(exact.gradient).reduce((sum, v) => sum + v * v, 0),
  };
  for (const key of ["logDet", "along"] as const) {
    const estimates = values.map((value) => value[key]);
    const mean = estimates.reduce((a, b) => a + b) / steps;
    const error = Math.sqrt(estimates.reduce((sum, v) => sum + (v - mean) ** 2, 0) / steps / (steps - 1));
    expect(error, key).toBeLessThan(0.03 * Math.abs(expected[key]));
    expect(Math.abs(mean - expected[key]), key).toBeLessThan(4 * error);
  }
  // P(K >= k) = c^(k - 2).
  for (const k of [2, 3, 5, 10]) {
    const share = numbers.filter((n) => n >= k).length / steps;
    const probability = c ** (k - 2);
    const error = Math.sqrt((probability * (1 - probability)) / steps);
    expect(Math.abs(share - probability)).toBeLessThanOrEqual(4 * error);
  }
});

test("the log-determinant is exact outside of training for any option", async () => {
  const [D, rows] = [20, 3];
  const bijection = steep({ features: D, hidden: [24], lipschitz: 0.9 });
  const x = new Random(2).normal(new Float64Array(rows * D));
  const { logDet, matrices } = await compile(
    (x) => {
      const { value, logDet } = bijection.inverse(x);
      return { logDet, matrices: jacobian(value, x) };
    },
    [["N", D]],
    float64,
  )(x);
  expectLogDeterminants(matrices, logDet, D);
});
