import { expect, test } from "vitest";
import type { ValueScale } from "../../src/bijections/index.ts";
import { scaledValue } from "../../src/bijections/valueScale.ts";
import { withLinearScale } from "../../src/tables/columns/linearScale.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";

const values = Float64Array.from({ length: 1000 }, (_, n) => (n + 1) / 100);
const scaled = (scale: ValueScale): TableColumn => ({ ...realColumn("x"), scale });
const linearScale = (column: TableColumn, feature = values) => {
  const result = withLinearScale(column, feature);
  return "scale" in result ? result.scale : undefined;
};

test("a column of positive numbers has equal differences on its linear scale, except near the bound", () => {
  const scale = linearScale(scaled({ type: "log", low: 0 }))!;
  for (const x of values.filter((value) => value >= 0.5))
    expect(scaledValue(scale, x + 1) - scaledValue(scale, x)).toBeCloseTo(1, 2);
  expect(scaledValue(scale, 0)).toBe(Number.NEGATIVE_INFINITY);
});

test("the linear scale of a column without bounds and of a lattice is linear", () => {
  const linear = { type: "linear" };
  expect(linearScale(scaled({ type: "asinh", unit: 2 }))).toEqual(linear);
  const lattice = {
    kind: "lattice",
    name: "n",
    type: "integer",
    gaps: false,
    first: 0,
    step: 1,
    decimals: 0,
  } as const;
  expect(linearScale({ ...lattice, cells: 10, scale: { type: "log", low: -1 } })).toEqual(linear);
});

test("columns with an upper bound keep their scale, and so do columns whose range is too wide or too narrow for a linear one", () => {
  const bounded = { type: "logit", low: 0, high: 20 } as const;
  expect(linearScale(scaled(bounded))).toEqual(bounded);
  const log = { type: "log", low: 0 } as const;
  for (const factor of [1e-20, 1e20])
    expect(
      linearScale(
        scaled(log),
        values.map((x) => factor * x),
      ),
    ).toEqual(log);
});

test("columns with a value far from the others keep their scale, because its score would be clamped", () => {
  for (const scale of [
    { type: "log", low: 0 },
    { type: "asinh", unit: 2 },
  ] as const) {
    // The interquartile range is 5, so the score of 50 is about 20.
    expect(linearScale(scaled(scale), Float64Array.of(...values, 50))).toEqual(scale);
    expect(linearScale(scaled(scale), Float64Array.of(...values, 30))).not.toEqual(scale);
  }
});

test("missing values and atoms at the bound do not count, and values that are nearly at the bound make no tiny unit", () => {
  const log = { type: "log", low: 0 } as const;
  const column = scaled(log);
  expect(linearScale(column, Float64Array.of(Number.NaN, 0, 0, ...values))).toEqual(linearScale(column));
  const near = values.map((value, n) => (n < 100 ? 1e-200 : value));
  expect(linearScale(column, near)).toEqual({
    type: "inverseSoftplus",
    low: 0,
    unit: expect.closeTo(1e-5, 7),
  });
  expect(linearScale(column, Float64Array.of(Number.NaN, 0))).toEqual(log);
});
