import { describe, expect, test } from "vitest";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { Flow, nsf } from "../../src/flows/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { tableHeads } from "../../src/tables/columns/columnHeads.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import type { LatticeColumn, TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { fitCorrelatedKernels } from "../../src/tables/densities/fitCorrelatedKernels.ts";
import { type FittedCandidate, isKernelDensity } from "../../src/tables/fit/fittedCandidates.ts";
import { candidatesFor, type NamedRecipe } from "../../src/tables/fit/memberCandidates.ts";
import type { Budget } from "../../src/tables/options/budgets.ts";
import { MEMBERS_OF_REAL_COLUMNS } from "./memberNames.ts";

function members(rows: number, features: number, budget?: Budget, recipe?: NamedRecipe) {
  const columns = Array.from({ length: features }, (_, i) => realColumn(`c${i}`));
  const values = new Random(0).normal(new Float64Array(rows * features));
  const training = new InMemoryDataset({ features, values });
  return candidatesFor(columns, training, { seed: 0, embedding: undefined, kernel: true, budget, recipe });
}

/** The members that are trained by gradients. */
const trained = (...table: Parameters<typeof members>) =>
  members(...table).flatMap((candidate) => ("options" in candidate ? [candidate] : []));

/** Fits the member of this name, which is fitted without gradients. */
async function fitted(
  name: string,
  columns: readonly TableColumn[],
  training: InMemoryDataset,
  heldOut: InMemoryDataset,
): Promise<{ flow: Flow; refit: FittedCandidate["refit"] }> {
  const candidates = candidatesFor(columns, training, { seed: 0, embedding: undefined, kernel: true });
  const candidate = candidates.find((each) => each.name === name)!;
  if (!("fit" in candidate)) throw new Error(`${name} is trained by gradients`);
  return { flow: await candidate.fit(training, heldOut, {}), refit: candidate.refit };
}

const positive = (name: string) => ({
  ...realColumn(name),
  low: 0,
  scale: { type: "log" as const, low: 0 },
});

/** Rows of three features, each computed from three numbers of `noise`. */
const rowsOf = (noise: Float64Array, row: (noise: Float64Array) => readonly number[]) =>
  new InMemoryDataset({
    features: 3,
    values: noise.map((_, i) => row(noise.subarray(i - (i % 3)))[i % 3]),
  });

function scalesOf(flow: Flow): { type: string }[] {
  const { columns } = flow.base.describe() as unknown as { columns: { scale: { type: string } }[] };
  return columns.map(({ scale }) => scale);
}

describe("the members of the default model", () => {
  test("include flows, latent classes, Gaussians and kernel densities for a small table of real numbers", () => {
    expect(members(50, 3).map(({ name }) => name)).toEqual(MEMBERS_OF_REAL_COLUMNS);
  });

  test.each([
    { features: 500, names: ["autoregressive", "affine", "splines", "mixture"] },
    { features: 501, names: ["autoregressive"] },
  ])("are $names for 20 rows of $features numbers", ({ features, names }) => {
    expect(members(20, features).map(({ name }) => name)).toEqual(names);
  });

  test("have one component and few knots in each column if there are many columns", () => {
    const [autoregressive] = trained(50, 200);
    expect(autoregressive.flow.base.describe()).toMatchObject({
      columns: new Array(200).fill({ components: 1, linearComponents: 0 }),
    });
  });

  test("are smaller, train half as long and include no flows with a small budget", () => {
    expect(members(50, 3, "small").map(({ name }) => name)).toEqual(
      MEMBERS_OF_REAL_COLUMNS.filter((name) => !["affine", "splines", "mixture"].includes(name)),
    );
    const [autoregressive] = trained(50, 3, "small");
    // 50 rows are one batch, and 10,000 and 300 steps as many epochs.
    expect(autoregressive.options).toMatchObject({ epochs: 5000, patience: 150 });
    expect(autoregressive.flow.base.describe()).toMatchObject({ network: { hidden: [64, 64] } });
  });

  test("are larger and train up to twice as long with a large budget", () => {
    const [autoregressive, , affine] = trained(50, 3, "large");
    expect(autoregressive.options).toMatchObject({ epochs: 20_000, patience: 600 });
    expect(affine.options).toMatchObject({ epochs: 20_000, patience: 1000 });
    expect(autoregressive.flow.base.describe()).toMatchObject({
      network: { hidden: [256, 256, 256, 256, 256, 256] },
    });
  });

  test("train a fixed number of epochs along a half cosine if there are many rows", () => {
    const [small] = trained(20_000, 2);
    expect(small.options).not.toHaveProperty("schedule");
    const [large] = trained(20_001, 2);
    expect(large.options).toMatchObject({ epochs: 100, schedule: { type: "cosine" } });
    const [ofManyRows] = trained(300_000, 2);
    expect(ofManyRows.options).toMatchObject({ epochs: 20, schedule: { type: "cosine" } });
  });

  test("refuse an unknown budget, and one beside a recipe", () => {
    expect(() => members(50, 3, "tiny" as Budget)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the option budget has an invalid value: expected small, default, large, received tiny.]`,
    );
    expect(() => members(50, 3, "small", { name: "nsf", flow: nsf })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the options budget and recipe cannot be combined.
      A budget chooses the members of the default model. Leave one of the options out.]
    `);
  });

  test("include a mixture of Gaussians for up to 64 columns and up to 20,000 rows", () => {
    const has = (rows: number, features: number) =>
      members(rows, features).some(({ name }) => name === "gaussian-mixture");
    expect([has(50, 2), has(50, 64), has(20_000, 2)]).toEqual([true, true, true]);
    expect([has(50, 1), has(50, 65), has(20_001, 2)]).toEqual([true, false, false]);
  });

  test("include correlated kernels for 2 to 64 columns if the kernels do not take too much time, unless no training rows may be stored", () => {
    const has = (rows: number, features: number) =>
      members(rows, features).some(({ name }) => name === "correlated-kernels");
    expect([has(50, 2), has(50, 64), has(10_000, 2)]).toEqual([true, true, true]);
    expect([has(50, 1), has(50, 65), has(10_001, 2)]).toEqual([false, false, false]);
    const columns = [realColumn("a"), realColumn("b")];
    const training = new InMemoryDataset({
      features: 2,
      values: new Random(0).normal(new Float64Array(100)),
    });
    const without = candidatesFor(columns, training, { seed: 0, embedding: undefined, kernel: false });
    expect(without.filter(({ name }) => isKernelDensity(name))).toEqual([]);
  });

  test("include Gaussians on linear scales where these describe held-out rows better, as for age = entry + time", async () => {
    const lattice = (name: string, cells: number, scale: LatticeColumn["scale"]): LatticeColumn => ({
      kind: "lattice",
      name,
      type: "integer",
      gaps: false,
      first: 0,
      cells,
      step: 1,
      decimals: 0,
      scale,
    });
    const linear = { type: "linear" } as const;
    const columns = (scaleOfTime: LatticeColumn["scale"]) => [
      lattice("entry", 301, linear),
      lattice("time", 101, scaleOfTime),
      lattice("age", 401, linear),
    ];
    const uniform = new Random(1).uniform(new Float64Array(800));
    const rowsOf = (part: Float64Array) =>
      new InMemoryDataset({
        features: 3,
        values: Float64Array.from({ length: (3 * part.length) / 2 }, (_, i) => {
          const row = Math.floor(i / 3);
          const entry = Math.floor(301 * part[2 * row]);
          const time = Math.floor(101 * part[2 * row + 1]);
          return [entry, time, entry + time][i % 3];
        }),
      });
    const [training, heldOut] = [rowsOf(uniform.subarray(0, 600)), rowsOf(uniform.subarray(600))];
    const logDensity = async (scaleOfTime: LatticeColumn["scale"]) => {
      const { flow } = await fitted("gaussian-mixture", columns(scaleOfTime), training, heldOut);
      const logDensities = await flow.logProb(heldOut.values);
      await flow.release();
      return mean(logDensities);
    };
    const onLinear = await logDensity(linear);
    expect(await logDensity({ type: "logit", low: -1, high: 101 })).toBeCloseTo(onLinear, 10);
    // The age follows from the other columns, which have log 301 + log 101 = 10.3 nats.
    expect(onLinear).toBeGreaterThan(-11.5);
  });

  describe.each(["gaussian-mixture", "correlated-kernels"])("the scales of %s", (name) => {
    const columns = ["a", "b", "c"].map(positive);

    test("are linear where these describe held-out rows better, as for c = a + b, also after the refit", async () => {
      const uniform = new Random(1).uniform(new Float64Array(1200));
      const sums = (noise: Float64Array) =>
        rowsOf(noise, ([u, v, w]) => [0.2 + 2 * u, 0.2 + 2 * v, 0.4 + 2 * u + 2 * v + 0.02 * w]);
      const [training, heldOut] = [sums(uniform.subarray(0, 900)), sums(uniform.subarray(900))];
      const { flow, refit } = await fitted(name, columns, training, heldOut);
      // The columns have 2.5 nats. On logarithmic scales, the members have at most 1.0 nats.
      expect(mean(await flow.logProb(heldOut.values))).toBeGreaterThan(1.4);
      expect(scalesOf(flow).map(({ type }) => type)).toEqual(new Array(3).fill("inverseSoftplus"));
      const samples = await flow.sample(1000, { seed: 0 });
      expect(samples.every((value) => value >= 0)).toBe(true);
      expect(refit !== undefined).toBe(name === "correlated-kernels");
      const refitted = await refit?.(training, {});
      if (refitted) expect(scalesOf(refitted)).toEqual(scalesOf(flow));
      await flow.release();
      await refitted?.release();
    });

    test("are logarithmic where these describe held-out rows better, as for c = a b", async () => {
      const normal = new Random(1).normal(new Float64Array(1200));
      const products = (noise: Float64Array) =>
        rowsOf(noise, ([u, v, w]) => [Math.exp(u / 2), Math.exp(v / 2), Math.exp((u + v) / 2 + w / 100)]);
      const [training, heldOut] = [products(normal.subarray(0, 900)), products(normal.subarray(900))];
      const { flow } = await fitted(name, columns, training, heldOut);
      expect(scalesOf(flow)).toEqual(new Array(3).fill({ type: "log", low: 0 }));
      await flow.release();
    });
  });

  test("have logarithmic scales if draws on linear ones would crowd at a bound, as for sums of Weibull distributions", async () => {
    const columns = ["a", "b", "c"].map(positive);
    const uniform = new Random(1).uniform(new Float64Array(600));
    const sums = (noise: Float64Array) =>
      rowsOf(noise, ([u, v, w]) => {
        const [a, b] = [u, v].map((each) => (-Math.log(each)) ** 1.2);
        return [a, b, (a + b) * (1 + w / 50)];
      });
    const [training, heldOut] = [sums(uniform.subarray(0, 300)), sums(uniform.subarray(300))];
    const { flow } = await fitted("correlated-kernels", columns, training, heldOut);
    expect(scalesOf(flow)).toEqual(columns.map(({ scale }) => scale));
    await flow.release();
  });

  test.each([
    ["weak if columns follow from others", 3, 0.1],
    ["strong if columns are independent", 12, 1],
  ])("the shrinkage of correlated kernels is %s, also after the refit", async (_, factors, shrinkage) => {
    const D = 12;
    const [rows, held] = [80, 60];
    const columns = Array.from({ length: D }, (_, d) => realColumn(`c${d}`));
    const z = new Random(1).normal(new Float64Array(D * (rows + held)));
    const loadings = new Random(2).normal(new Float64Array(D * factors));
    // Column d is a factor, or a sum of factors with a little noise.
    const values = z.map((noise, i) => {
      const [first, d] = [i - (i % D), i % D];
      if (d < factors) return noise;
      const sum = loadings
        .subarray(d * factors, (d + 1) * factors)
        .reduce((total, loading, f) => total + loading * z[first + f], 0);
      return sum + 0.01 * noise;
    });
    const part = (from: number, end?: number) =>
      new InMemoryDataset({ features: D, values: values.slice(from * D, end && end * D) });
    const [training, heldOut] = [part(0, rows), part(rows)];
    const { flow, refit } = await fitted("correlated-kernels", columns, training, heldOut);
    const logDensities = await Promise.all(
      [0.1, 1].map(async (each) => {
        const direct = new Flow(
          await fitCorrelatedKernels(tableHeads(columns, training), training, {}, each),
        );
        const logDensities = await direct.logProb(heldOut.values);
        await direct.release();
        return mean(logDensities);
      }),
    );
    const refitted = await refit!(training, {});
    const [expected, other] = shrinkage === 0.1 ? logDensities : [...logDensities].reverse();
    expect(expected).toBeGreaterThan(other);
    for (const each of [flow, refitted])
      expect(mean(await each.logProb(heldOut.values))).toBeCloseTo(expected, 6);
    await flow.release();
    await refitted.release();
  });

  test("do not include latent classes if there are more columns than rows", () => {
    const names = (rows: number) => members(rows, 102).map(({ name }) => name);
    expect(names(102)).toContain("latent-classes");
    expect(names(101)).not.toContain("latent-classes");
  });

  test("do not include latent classes if there are many rows of more than four columns", () => {
    const has = (rows: number, features: number) =>
      members(rows, features).some(({ name }) => name === "latent-classes");
    expect([has(20_000, 5), has(20_001, 4), has(20_001, 5)]).toEqual([true, true, false]);
  });
});
