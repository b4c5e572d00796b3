import { beforeAll, describe, expect, it, test } from "vitest";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { Random } from "../../src/random/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { gaussianFeatures } from "../../src/tables/evaluate/gaussianBaseline.ts";
import { gaussianMixtureBaseline } from "../../src/tables/evaluate/gaussianMixtureBaseline.ts";
import {
  gaussianBaseline,
  independentBaseline,
  type NamedBaseline,
  tableBaselines,
} from "../../src/tables/evaluate/index.ts";

const lattice = (name: string, cells: number, gaps = false): TableColumn => ({
  kind: "lattice",
  name,
  type: "integer",
  gaps,
  first: 0,
  step: 1,
  cells,
  decimals: 0,
  scale: { type: "linear" },
});

/** The values of each feature that have probabilities. */
type Measure = readonly ("all" | number[])[];

const rowsOf = (rows: readonly (readonly number[])[]): InMemoryDataset =>
  new InMemoryDataset({ features: rows[0]!.length, values: Float64Array.from(rows.flat()) });

const random = new Random(7);
const noise = random.normal(new Float64Array(1200));
const clamped = (x: number, cells: number) => Math.min(cells - 1, Math.max(0, Math.round(x)));
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe("for lattices with missing values, the probabilities of all rows under", () => {
  const columns = [lattice("a", 4), lattice("b", 5, true)];
  const table = rowsOf(
    Array.from({ length: 300 }, (_, n) => {
      const a = clamped((n % 2 === 0 ? 0.3 : 2.7) + 0.3 * noise[n]!, 4);
      return [a, n % 9 === 0 ? Number.NaN : clamped(4 - a + 0.4 * noise[n + 300]!, 5)];
    }),
  );
  const all = rowsOf([0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3, 4, Number.NaN].map((b) => [a, b])));
  let baselines: NamedBaseline[];
  beforeAll(async () => {
    baselines = await tableBaselines(columns, table);
  });

  test.each([
    /^independent columns$/,
    /^Gaussian$/,
    /^Gaussian mixture \(\d+\)$/,
    /^latent classes \(\d+\)$/,
    /^kernel density$/,
  ])("%s add up to 1", async (name) => {
    const baseline = baselines.find((each) => name.test(each.name));
    const logDensities = await baseline!.logDensities(all);
    expect(sum(logDensities.map(Math.exp))).toBeCloseTo(1, 4);
  });
});

describe("for a lattice and a continuous column with frequent zeros,", () => {
  const columns = [lattice("count", 3), realColumn("amount")];
  const table = rowsOf(
    Array.from({ length: 300 }, (_, n) => {
      const count = clamped(1 + noise[n]!, 3);
      return [count, n % 3 === 0 ? 0 : 4 + 2 * count + noise[n + 600]!];
    }),
  );

  it("the densities of Gaussians integrate to 1, with the probability of the atom", async () => {
    const step = 0.05;
    const grid = Array.from({ length: 1000 }, (_, i) => -15 + (i + 0.5) * step);
    const counts = [0, 1, 2];
    const atoms = rowsOf(counts.map((count) => [count, 0]));
    const others = rowsOf(counts.flatMap((count) => grid.map((x) => [count, x])));
    const features = gaussianFeatures(columns, table, undefined)!;
    for (const baseline of [
      await gaussianBaseline(table, { columns }),
      await gaussianMixtureBaseline(features, table),
    ]) {
      const probability = sum((await baseline!.logDensities(atoms)).map(Math.exp));
      const mass = step * sum((await baseline!.logDensities(others)).map(Math.exp));
      expect(probability).toBeCloseTo(1 / 3, 1);
      expect(probability + mass).toBeCloseTo(1, 6);
    }
  });

  test.each([
    ["independent columns", (atoms?: Measure) => independentBaseline(columns, table, { atoms })],
    ["a Gaussian", (atoms?: Measure) => gaussianBaseline(table, { columns, atoms })],
  ])("%s have densities of single values where the model to compare with has them", async (_, fit) => {
    const zero = rowsOf([
      [1, 0],
      [1, 1e-9],
    ]);
    const difference = async (atoms?: Measure) => {
      const [a, b] = await (await fit(atoms))!.logDensities(zero);
      return Math.abs(a! - b!);
    };
    expect(await difference(["all", []])).toBeLessThan(1e-3);
    expect(await difference()).toBeGreaterThan(0.1);
  });
});

describe("for rows with weights,", () => {
  const columns = [lattice("count", 4), realColumn("amount")];
  const rows = Array.from({ length: 100 }, (_, n) => [clamped(1.5 + noise[n]!, 4), noise[n + 200]!]);
  const weights = rows.map((_, n) => 1 + (n % 3));
  const weighted = (scale: number) =>
    rowsOf(rows).with({ weights: Float64Array.from(weights, (weight) => scale * weight) });

  test.each([
    ["a Gaussian is", (table: InMemoryDataset) => gaussianBaseline(table, { columns })],
    [
      "a mixture of Gaussians is",
      (table: InMemoryDataset) =>
        gaussianMixtureBaseline(gaussianFeatures(columns, table, undefined)!, table),
    ],
  ])("%s the same whatever the scale of the weights, and not those of unweighted rows", async (_, fit) => {
    const logDensities = async (table: InMemoryDataset) => (await fit(table))!.logDensities(rowsOf(rows));
    const expected = await logDensities(weighted(1));
    for (const [n, logDensity] of (await logDensities(weighted(1e-4))).entries())
      expect(logDensity).toBeCloseTo(expected[n]!, 4);
    const unweighted = await logDensities(rowsOf(rows));
    expect(Math.max(...unweighted.map((value, n) => Math.abs(value - expected[n]!)))).toBeGreaterThan(1e-3);
  });
});

describe("a Gaussian for a table", () => {
  it("of real numbers is that of the rows", async () => {
    const rows = rowsOf(Array.from({ length: 200 }, (_, n) => [noise[n]!, noise[n]! + noise[n + 200]!]));
    const columns = [realColumn("x"), realColumn("y")];
    const [ofTable, ofRows] = [await gaussianBaseline(rows, { columns }), await gaussianBaseline(rows)];
    expect(await ofTable!.logDensities(rows)).toEqual(await ofRows!.logDensities(rows));
  });

  it("of narrow cells is the density times their width", async () => {
    const correlated = Array.from({ length: 400 }, (_, n) => {
      const x = noise[n]!;
      return [x, 0.8 * x + 0.6 * noise[n + 400]!] as const;
    });
    const gaussian = await gaussianBaseline(rowsOf(correlated));
    const mean = async (width: number) => {
      const cells = Math.round(16 / width);
      const cell = (y: number) => clamped((y + 8) / width, cells);
      const rows = rowsOf(correlated.map(([x, y]) => [x, cell(y)]));
      const ofCells = await gaussianBaseline(rows, { columns: [realColumn("x"), lattice("y", cells)] });
      return sum(await ofCells!.logDensities(rows)) / 400 - Math.log(width);
    };
    const exact = sum(await gaussian!.logDensities(rowsOf(correlated))) / 400;
    expect(await mean(0.01)).toBeCloseTo(exact, 3);
    // The logarithm is concave, so the mean over a cell is larger than that of the values in it.
    expect(await mean(0.5)).toBeCloseTo(exact, 1);
  });

  it("depends on the context", async () => {
    const values = Float64Array.from({ length: 300 }, (_, n) =>
      clamped(3 + 2 * noise[n]! + 0.3 * noise[n + 300]!, 8),
    );
    const rows = new InMemoryDataset({
      features: 1,
      values,
      context: Float64Array.from(noise.subarray(0, 300)),
    });
    const columns = [lattice("a", 8)];
    const withoutContext = rows.with({ context: new Float64Array(0) });
    const [given, marginal] = [
      await gaussianBaseline(rows, { columns }),
      await gaussianBaseline(withoutContext, { columns }),
    ];
    const gain = sum(await given!.logDensities(rows)) - sum(await marginal!.logDensities(withoutContext));
    expect(gain / 300).toBeGreaterThan(1);
  });

  it("does not exist if a column is categorical", async () => {
    const columns: TableColumn[] = [
      realColumn("x"),
      { kind: "categorical", name: "c", type: "text", gaps: false, labels: ["a", "b"] },
    ];
    const rows = rowsOf(Array.from({ length: 50 }, (_, n) => [noise[n]!, n % 2]));
    expect(await gaussianBaseline(rows, { columns })).toBeUndefined();
    expect((await tableBaselines(columns, rows)).map(({ name }) => name.replace(/\d+/, "N"))).toEqual([
      "independent columns",
      "latent classes (N)",
      "kernel density",
    ]);
  });
});

it("a mixture of Gaussians finds clusters on a lattice, which a Gaussian does not", async () => {
  const rows = (first: number) =>
    rowsOf(
      Array.from({ length: 250 }, (_, n) => {
        const center = n % 2 === 0 ? 5 : 20;
        return [clamped(center + noise[first + n]!, 26), clamped(25 - center + noise[first + 500 + n]!, 26)];
      }),
    );
  const columns = [lattice("a", 26), lattice("b", 26)];
  const heldOut = rows(250);
  const baselines = await tableBaselines(columns, rows(0));
  const mean = async (name: RegExp) =>
    sum(await baselines.find((each) => name.test(each.name))!.logDensities(heldOut)) / heldOut.rows;
  // The entropy: log 2 for the cluster, and log(sqrt(2 pi e)) for each column.
  const entropy = Math.log(2) + Math.log(2 * Math.PI * Math.E);
  expect(await mean(/mixture/)).toBeGreaterThan(-entropy - 0.2);
  expect(await mean(/^Gaussian$/)).toBeLessThan(-entropy - 0.5);
});
