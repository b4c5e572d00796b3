import { expect, test } from "vitest";
import { chooseComponent, MAX_UNIFORM } from "../../src/distributions/chooseComponent.ts";
import { constant } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { TwoStageChoice } from "../../src/tables/densities/twoStageChoice.ts";

const COUNT = 20_000;

/** Uniform numbers in the middle of equal intervals, so that a component of weight w is drawn w times their number, rounded. */
const uniform = Float64Array.from({ length: COUNT }, (_, i) => (i + 0.5) / COUNT);

/** How often each component is chosen. */
async function counts(weights: readonly number[], rowsOfWeights: "N" | 1): Promise<number[]> {
  const J = weights.length;
  const indices = constant(
    Array.from({ length: J }, (_, j) => j),
    [1, J],
  );
  const run = compile(
    (logWeights, uniform) =>
      new TwoStageChoice(logWeights.transpose(), uniform.transpose()).select(indices).transpose(),
    [
      [rowsOfWeights, J],
      ["N", 1],
    ],
    { precision: "float64" },
  );
  const rows = rowsOfWeights === 1 ? 1 : COUNT;
  const logWeights = Float64Array.from({ length: rows * J }, (_, i) => Math.log(weights[i % J]));
  const result = new Array<number>(J).fill(0);
  for (const index of await run(logWeights, uniform)) result[index]++;
  return result;
}

for (const components of [1, 2, 64, 65, 150])
  test(`each of ${components} components is drawn with its probability`, async () => {
    const random = new Random(1).uniform(new Float64Array(components));
    const weights = Array.from(random, (u, j) => (j % 5 === 3 ? 0 : u ** 3 + 1e-3));
    const total = weights.reduce((sum, weight) => sum + weight);
    for (const rowsOfWeights of [1, "N"] as const) {
      const drawn = await counts(weights, rowsOfWeights);
      for (const [j, weight] of weights.entries())
        expect(Math.abs(drawn[j] - (COUNT * weight) / total)).toBeLessThanOrEqual(1.000001);
    }
  });

test("selects several numbers of the chosen components, which may differ in each row", async () => {
  const J = 100;
  const numbers = constant(
    Array.from({ length: 2 * J }, (_, i) => i + 0.5),
    [2, J],
  );
  const run = compile(
    (logWeights, uniform) =>
      new TwoStageChoice(logWeights.transpose(), uniform.transpose()).select(numbers).transpose(),
    [
      ["N", J],
      ["N", 1],
    ],
    { precision: "float64" },
  );
  const only = [0, 17, 99];
  const logWeights = only.flatMap((chosen) =>
    Array.from({ length: J }, (_, j) => (j === chosen ? 0 : Number.NEGATIVE_INFINITY)),
  );
  const selected = await run(logWeights, [1e-9, 0.5, 1 - 1e-9]);
  expect(Array.from(selected)).toEqual(only.flatMap((j) => [j + 0.5, J + j + 0.5]));
});

test("components of weight 0 are not drawn, also by the largest and the smallest numbers of float32", async () => {
  const random = new Random(4);
  for (const J of [3, 10, 70, 150, 1000]) {
    // The first and the last weights are 0, for which rounding errors of the cumulative sum would draw the last component.
    const inner = random.split(J).uniform(new Float64Array(J - 2));
    const logWeights = [Number.NEGATIVE_INFINITY, ...inner.map(Math.log), Number.NEGATIVE_INFINITY];
    const uniform = [MAX_UNIFORM, 1 - 2 ** -23, 2 ** -24];
    const indices = Array.from({ length: J }, (_, j) => j);
    const one = compile(
      (logWeights, uniform) =>
        chooseComponent(logWeights, uniform)
          .mul(constant(indices, [J]))
          .sum(1),
      [
        [1, J],
        ["N", 1],
      ],
    );
    const twoStages = compile(
      (logWeights, uniform) =>
        new TwoStageChoice(logWeights.transpose(), uniform.transpose())
          .select(constant(indices, [1, J]))
          .transpose(),
      [
        [1, J],
        ["N", 1],
      ],
    );
    for (const run of [one, twoStages]) {
      for (const index of await run(Float32Array.from(logWeights), Float32Array.from(uniform))) {
        expect(index).toBeGreaterThan(0);
        expect(index).toBeLessThan(J - 1);
      }
      await run.release();
    }
  }
});
