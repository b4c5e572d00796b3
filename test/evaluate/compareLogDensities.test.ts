import { describe, expect, test } from "vitest";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { type ColumnHeadOptions, MixedMade } from "../../src/tables/densities/index.ts";
import { checkComparable, compareLogDensities } from "../../src/tables/evaluate/index.ts";
import { withConstants } from "../../src/tables/fit/index.ts";
import type { LoadedModel } from "../../src/tables/model/index.ts";

describe("compareLogDensities", () => {
  test("has the mean of the paired differences and its standard error", () => {
    const comparison = compareLogDensities([-1, -3, -2, -6], [-2, -3.5, -1, -8]);
    expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
    const { first, second, difference, shareHigher } = comparison;
    expect([first.mean, second.mean, difference.mean]).toEqual([-3, -3.625, 0.625]);
    // The differences are 1, 0.5, -1 and 2, whose deviations from their mean have the squares below.
    const squares = 0.375 ** 2 + 0.125 ** 2 + 1.625 ** 2 + 1.375 ** 2;
    expect({ ...difference }.standardError).toBeCloseTo(Math.sqrt(squares / 3 / 4), 12);
    expect(shareHigher).toBe(0.75);
  });

  test("leaves out rows without a log-density, and counts rows that both models find impossible as equal", () => {
    const impossible = Number.NEGATIVE_INFINITY;
    const { difference, shareHigher } = compareLogDensities(
      [-1, Number.NaN, impossible],
      [-2, -1, impossible],
    );
    expect([difference.count, difference.mean, shareHigher]).toEqual([2, 0.5, 0.5]);
    expect(() => compareLogDensities([Number.NaN], [0])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: no row has a log-density under both models: expected at least 1 row.]`,
    );
    expect(() => compareLogDensities([1, 2], [0])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: two models are compared on different numbers of rows: expected 2 log-densities, received 1.]`,
    );
  });

  test("has no difference if all rows are impossible under both models", () => {
    const impossible = Number.NEGATIVE_INFINITY;
    expect(() => compareLogDensities([impossible], [impossible])).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: all rows are impossible under both models: expected at least 1 row with a log-density above -Infinity.
      Compare the models on rows like those of their training: the warnings name the impossible values.]
    `);
  });

  test("has an infinite difference if only one model finds a row impossible", () => {
    const impossible = Number.NEGATIVE_INFINITY;
    expect(compareLogDensities([-1, -1, -1], [-2, impossible, -2]).difference.mean).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(compareLogDensities([-1, impossible, -1], [-2, -1, -2]).difference.mean).toBe(impossible);
    expect(compareLogDensities([-1, impossible], [impossible, -1]).difference.mean).toBeNaN();
  });
});

describe("checkComparable", () => {
  const knots = { x: [-2, 3], z: [-2, 2], slope: [1, 1] };
  const price: TableColumn = {
    kind: "continuous",
    name: "price",
    type: "number",
    gaps: false,
    center: 10,
    scale: { type: "linear" },
  };
  const tableModel = (atoms: number[]): LoadedModel => {
    const head: ColumnHeadOptions = { type: "continuous", knots, components: 1, atoms };
    const flow = new Flow(new MixedMade({ columns: [head] }, new Random(0)));
    return { flow, columns: ["price"], table: [price], given: [] };
  };
  const lattice = (): LoadedModel => {
    const head: ColumnHeadOptions = { type: "lattice", cells: 3, knots, components: 1 };
    const flow = new Flow(new MixedMade({ columns: [head] }, new Random(0)));
    const { center: _, scale, ...others } = price as Extract<TableColumn, { kind: "continuous" }>;
    const column: TableColumn = {
      ...others,
      kind: "lattice",
      first: 0,
      step: 1,
      cells: 3,
      decimals: 0,
      scale,
    };
    return { flow, columns: ["price"], table: [column], given: [] };
  };
  const normal = (columns: string[], given: string[] = []): LoadedModel => ({
    flow: new Flow(new StandardNormal({ features: columns.length })),
    columns,
    given,
  });

  test("accepts models of the same columns in any order", () => {
    expect(checkComparable(normal(["a", "b"]), normal(["b", "a"]))).toEqual([]);
    expect(checkComparable(tableModel([1]), tableModel([1]))).toEqual([]);
    expect(checkComparable(tableModel([]), normal(["price"]))).toEqual([]);
  });

  test("refuses models of different columns, or given different columns", () => {
    expect(() => checkComparable(normal(["a", "b"]), normal(["a"]))).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the models have different columns: expected a, b, received a.
      Log-densities of different columns are not comparable: fit both models to the same columns.]
    `);
    expect(() => checkComparable(normal(["a"]), normal(["a"], ["c"]))).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the models have different given columns: expected none, received c.
      Log-densities of different columns are not comparable: fit both models to the same columns.]
    `);
  });

  test("refuses a density in one model and probabilities in the other", () => {
    expect(() => checkComparable(tableModel([]), lattice())).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: column "price" has a density in one model and probabilities in the other: expected a density in both, received a probability in the second.
      A density is per unit of the column and a probability is not: fit both models with the same kind of column.]
    `);
    const constants = { ...normal(["a", "b"]), flow: withConstants(normal(["a"]).flow, new Map([[1, 5]])) };
    expect(() => checkComparable(constants, normal(["a", "b"]))).toThrow('column "b" has a density');
  });

  test("returns columns in which other single values have a probability", () => {
    const [difference, ...others] = checkComparable(tableModel([-10, 5]), tableModel([5]));
    expect([difference.column, others]).toEqual(["price", []]);
    // The atoms are those of the feature, which is the value minus the center of the column.
    expect([0, 15, 7].map(difference.includes)).toEqual([true, false, false]);
  });
});
