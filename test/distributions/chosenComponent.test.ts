import { expect, test } from "vitest";
import { ChosenComponent } from "../../src/distributions/chosenComponent.ts";
import { constant } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";

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
      new ChosenComponent(logWeights.transpose(), uniform.transpose()).select(indices).transpose(),
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
      new ChosenComponent(logWeights.transpose(), uniform.transpose()).select(numbers).transpose(),
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
