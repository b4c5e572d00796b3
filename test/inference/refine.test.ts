import { expect, test } from "vitest";
import { centralPoint } from "../../src/inference/refine.ts";
import { independenceChains } from "../../src/inference/sampling/independence.ts";
import { Random, RandomStream } from "../../src/random/index.ts";

test("the example of diverging trajectories is where most of them diverged", () => {
  const points = [
    [-3.1, 0.1],
    [-3, 0],
    [4, 5],
    [-2.8, -0.2],
    [-3.2, 0.3],
  ];
  expect(centralPoint(points.map((point) => Float64Array.from(point)))).toEqual(Float64Array.of(-3, 0));
  expect(centralPoint([Float64Array.of(1, 2)])).toEqual(Float64Array.of(1, 2));
});

test("chains of independence proposals visit no draw of weight 0", () => {
  const { NEGATIVE_INFINITY: zero } = Number;
  const logWeights = Float64Array.of(zero, zero, -1, -2, zero, -1, zero, 0);
  const [first, second] = independenceChains(logWeights, 2, new RandomStream(new Random(0)));
  expect([...first]).toEqual([2, 2, 2, expect.any(Number)]);
  for (const i of [...first, ...second]) expect(logWeights[i]).not.toBe(zero);
});
