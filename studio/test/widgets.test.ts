import { describe, expect, test } from "vitest";
import { compile, Planar, Radial, Random } from "../../src/index.ts";
import { parametersOf } from "../../src/nn/index.ts";
import { dependencies, drawMasks } from "../app/read/widgets/masks.ts";
import { areaPath, densityOf, inverseOf, mapOf } from "../app/read/widgets/oneDimension.ts";
import { usedDirection } from "../app/read/widgets/planar.ts";
import { rawSlope } from "../app/read/widgets/slope.ts";

const set = (module: object, values: Readonly<Record<string, readonly number[]>>) => {
  for (const [name, parameter] of parametersOf(module)) {
    const numbers = values[name.replace("parameters.base.", "")];
    if (numbers) parameter.take(Float64Array.from(numbers));
  }
};

test.each([
  [
    [1.6, 0.8],
    [0.4, 1.4],
  ],
  [
    [-1, -2],
    [0.5, 1],
  ],
] as const)("û of u = %j and w = %j is the direction of a planar layer", async (u, w) => {
  const layer = new Planar({ features: 2 }, new Random(0));
  set(layer, { u, w, b: [0.3] });
  const z = [0.7, -0.2] as const;
  const x = await compile((rows) => layer.forward(rows).value, [["N", 2]], { precision: "float64" })(z);
  const h = Math.tanh(w[0] * z[0] + w[1] * z[1] + 0.3);
  usedDirection(u, w).forEach((direction, i) => {
    expect(x[i]).toBeCloseTo(z[i]! + direction * h, 10);
  });
});

test.each([0.01, 1, 3.5])(
  "a radial layer multiplies distances at its center by the chosen slope %s",
  async (slope) => {
    const layer = new Radial({ features: 2 }, new Random(0));
    set(layer, { center: [0, 0], logAlpha: [0], slope: [rawSlope(slope)] });
    const x = await compile((rows) => layer.forward(rows).value, [["N", 2]], { precision: "float64" })([
      1e-9, 0,
    ]);
    expect(x[0]! / 1e-9).toBeCloseTo(slope, 6);
  },
);

describe("the map of one dimension", () => {
  const shape = { scale: 0.7, step: 1.5 };

  test("is inverted", () => {
    for (const z of [-3, -0.1, 0, 2.5]) expect(inverseOf(shape, mapOf(shape, z))).toBeCloseTo(z, 10);
  });

  test("keeps the probability of all of them", () => {
    const [low, high, n] = [-8, 8, 4000];
    let sum = 0;
    for (let k = 0; k < n; k++)
      sum += densityOf(shape, low + ((high - low) * (k + 0.5)) / n) * ((high - low) / n);
    expect(sum).toBeCloseTo(1, 6);
    expect(
      areaPath(
        () => 1,
        0,
        1,
        (value, p) => [value, p],
      ),
    ).toMatch(/^M0\.000 0\.000L.*1\.000 0\.000Z$/);
  });
});

describe("masks of MADE", () => {
  test("let an output depend on inputs before it in the ordering only, and on all of them with enough units", () => {
    const random = new Random(4);
    const numbers = random.uniform(new Float64Array(4000));
    let used = 0;
    const draws = Array.from({ length: 20 }, () => drawMasks(4, [24, 24], () => numbers[used++]!));
    for (const masks of draws) {
      const [order] = masks.degrees;
      expect(order!.toSorted()).toEqual([1, 2, 3, 4]);
      for (const output of [0, 1, 2, 3]) {
        const before = order!.flatMap((degree, input) => (degree < order![output]! ? [input] : []));
        expect(dependencies(masks, output)).toEqual(before);
      }
    }
    expect(new Set(draws.map(({ degrees }) => degrees[0]!.join())).size).toBeGreaterThan(5);
  });
});
