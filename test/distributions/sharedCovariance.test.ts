import { expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { MixedGaussianMixture } from "../../src/tables/densities/index.ts";
import { logProb } from "./evaluate.ts";
import { atoms, categorical, lattice } from "./mixedColumns.ts";
import { linear, randomMixture } from "./randomGaussians.ts";
import { testSubsets } from "./subsets.ts";

testSubsets((columns) => randomMixture(columns, 3, "shared"));

test("the density is that of the mixture with the covariance times the squares of the widths", async () => {
  const columns = [linear, categorical, atoms, lattice];
  const shared = randomMixture(columns, 3, "shared");
  const separate = randomMixture(columns, 3);
  const widths = shared.widths!.numbers;
  const size = shared.covariances.numbers.length;
  separate.covariances.value = Float64Array.from(
    { length: 3 * size },
    (_, i) => widths[Math.floor(i / size)] ** 2 * shared.covariances.numbers[i % size],
  );
  const rows = [0.3, 1, 0.5, 2, -1.2, 0, 0, 4, 0.1, 2, -0.7, 0];
  const expected = await logProb(separate, rows);
  (await logProb(shared, rows)).forEach((value, n) => {
    expect(value).toBeCloseTo(expected[n], 10);
  });
});

test("expectation maximization finds the covariance that all components share", async () => {
  const noise = new Random(5).normal(new Float64Array(2 * 600));
  // The second column has a standard deviation of 0.5 given the first one, within each of two groups.
  const values = noise.map((z, i) => {
    const shift = Math.floor(i / 2) % 3 === 0 ? 6 : 0;
    return i % 2 === 0 ? shift + z : 0.8 * noise[i - 1] + 0.5 * z - shift;
  });
  const data = { rows: 600, features: 2, values };
  const model = new MixedGaussianMixture({ columns: [linear, linear], components: 2, covariance: "shared" });
  await model.fitToData(data);
  const logDensities = await logProb(model, values);
  const mean = logDensities.reduce((sum, value) => sum + value, 0) / 600;
  // The differential entropy of a row: the groups hardly overlap.
  const entropy = 1 + Math.log(2 * Math.PI) + Math.log(0.5) + Math.log(3) - (2 / 3) * Math.log(2);
  const squares = noise.reduce((sum, z) => sum + z * z, 0) / 600;
  expect(Math.abs(mean + entropy - 1 + 0.5 * squares)).toBeLessThan(0.05);
  const [c00, c01, , c11] = model.covariances.numbers;
  // Covariances are those on the linear scale, whose unit is the same for both columns.
  expect(c01 / c00).toBeCloseTo(0.8, 1);
  expect(c11 / c00).toBeCloseTo(0.8 ** 2 + 0.5 ** 2, 1);
});
