import { expect, test } from "vitest";
import { centralPoint } from "../../src/inference/refine.ts";

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
