import { describe, expect, test } from "vitest";
import { maf, nsf } from "../../src/flows/index.ts";
import { Flow, fitTable, Random } from "../../src/index.ts";
import { MixedGaussianMixture } from "../../src/tables/densities/mixedGaussianMixture.ts";
import { MixedMade } from "../../src/tables/densities/mixedMade.ts";
import { stacked } from "../../src/tables/fit/fitMembers.ts";
import { stackDensities } from "../../src/train/stacking.ts";

test("the weights of stacking maximize the likelihood of held-out rows", () => {
  const random = new Random(1);
  const x = random.normal(new Float64Array(4000)).map((z, n) => (n % 4 === 0 ? 3 + z : z));
  const normal = (mean: number) => x.map((value) => -0.5 * (value - mean) ** 2 - 0.5 * Math.log(2 * Math.PI));
  const { weights, logDensity } = stackDensities([normal(0), normal(3), normal(-30)]);
  expect(weights[0]).toBeCloseTo(0.75, 1);
  expect(weights[1]).toBeCloseTo(0.25, 1);
  expect(weights[2]).toBeLessThan(1e-6);
  expect(weights[0] + weights[1] + weights[2]).toBeCloseTo(1, 12);
  const logDensities = [normal(0), normal(3), normal(-30)];
  const mean =
    x.reduce(
      (sum, _, n) => sum + Math.log(weights.reduce((p, w, k) => p + w * Math.exp(logDensities[k][n]), 0)),
      0,
    ) / 4000;
  expect(logDensity).toBeCloseTo(mean, 10);
});

test("prior rows that densities share keep a few held-out rows from excluding one", () => {
  const rows = [
    [0, 0, 0],
    [-50, -50, -50],
  ];
  expect(stackDensities(rows).weights[1]).toBeLessThan(1e-6);
  const { weights, logDensity } = stackDensities(rows, { priorRows: 1 });
  expect(weights[0]).toBeCloseTo(7 / 8, 6);
  expect(weights[1]).toBeCloseTo(1 / 8, 6);
  expect(logDensity).toBeCloseTo(Math.log(7 / 8), 6);
});

test("the weights maximize the likelihood of the densities with their gains, and the log-density is without gains", () => {
  const rows = [
    [0, -3, -1, -2],
    [-2, 0, -1.5, -2],
  ];
  const gains = [0, 0.4];
  const { weights, logDensity } = stackDensities(rows, { gains });
  const mean = (w: number, of: readonly number[]) =>
    rows[0]!.reduce(
      (sum, a, n) => sum + Math.log(w * Math.exp(a + of[0]!) + (1 - w) * Math.exp(rows[1]![n]! + of[1]!)),
      0,
    ) / 4;
  const largest = Math.max(...Array.from({ length: 999 }, (_, i) => mean((i + 1) / 1000, gains)));
  expect(mean(weights[0]!, gains)).toBeGreaterThan(largest - 1e-6);
  expect(weights[0]).toBeLessThan(stackDensities(rows).weights[0]! - 0.05);
  expect(logDensity).toBeCloseTo(mean(weights[0]!, [0, 0]), 12);
});

describe("a member of small weight", () => {
  const columns = [0, 1].map(() => ({ type: "categorical" as const, categories: 2 }));
  const made = () => new Flow(new MixedMade({ columns }, new Random(0)));
  const member = (name: string, flow: Flow, ...logDensities: number[]) => ({
    name,
    flow,
    epochs: [],
    bestEpoch: 0,
    stopped: "epochs" as const,
    validationLogDensity: 0,
    // Few rows would not exclude a member.
    logDensities: Float64Array.from({ length: 400 }, (_, n) => logDensities[n % 4]!),
  });

  test("is kept if it is the only one with exact conditional distributions", () => {
    // Members of all three names would not be kept for linear tails.
    const exact = member("gaussian-mixture", made(), -90, -90, -90, -90);
    const others = [
      member("nsf", nsf(2, { seed: 0 }), 0, 0, 0, 3),
      member("maf", maf(2, { seed: 0 }), 3, 0, 0, 0),
    ];
    const { members, validationLogDensity } = stacked([exact, ...others]);
    expect(members.map(({ name }) => name)).toEqual(["nsf", "maf", "gaussian-mixture"]);
    expect(members[2]!.weight).toBeCloseTo(1 / (3 * 401), 6);
    const without = stackDensities(others.map(({ logDensities }) => logDensities)).logDensity;
    expect(without - validationLogDensity).toBeLessThan(0.01);
  });

  test("is kept if it is the best one with linear tails", () => {
    const gaussians = () => new Flow(new MixedGaussianMixture({ columns, components: 2 }));
    const normal = [
      member("gaussian-mixture", gaussians(), 0, 0, 0, 3),
      member("correlated-kernels", gaussians(), 3, 0, 0, 0),
    ];
    const others = [
      member("autoregressive", made(), -90, -90, -90, -90),
      member("latent-classes", made(), -30, -30, -30, -5),
    ];
    const { members } = stacked([...normal, ...others]);
    expect(members.map(({ name }) => name)).toEqual([
      "gaussian-mixture",
      "correlated-kernels",
      "latent-classes",
    ]);
  });
});

test("a row for which an equation between columns does not hold has a low log-density, not an absurd one", {
  timeout: 120_000,
}, async () => {
  const random = new Random(3);
  const z = random.normal(new Float64Array(300));
  const minutes = Array.from(z, (value) => Math.round(1800 + 500 * value) / 10);
  const table = { minutes, charge: minutes.map((value) => Math.round(17 * value) / 100) };
  const { model } = await fitTable(table, { epochs: 2 });
  const [usual, ...unusual] = await model.score({ minutes: [180, 180, 20], charge: [30.6, 31.6, 40] });
  for (const score of unusual) {
    expect(score).toBeLessThan(usual! - 5);
    expect(score).toBeGreaterThan(-100);
  }
});
