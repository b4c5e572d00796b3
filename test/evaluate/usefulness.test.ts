import { expect, it } from "vitest";
import { usefulness } from "../../src/tables/evaluate/index.ts";
import golden from "./golden/usefulness.json" with { type: "json" };

const { tables, scores } = golden;
type Columns = Record<string, (number | string)[]>;
const numbers = ([x, y, z]: number[][]): Columns => ({ x, y, z });
const labels = ([x, y, z]: number[][]): Columns => ({
  x,
  y,
  z: z.map((value) => (value > 0 ? "yes" : "no")),
});

it.each([
  ["numbers", numbers, "number", "R²"],
  ["labels", labels, "label", "AUROC"],
] as const)(
  "models of %s that are trained on each table score as scikit-learn's",
  (_, read, name, measure) => {
    const [training, heldOut, generated] = [tables.training, tables.heldOut, tables.generated].map(read);
    const result = usefulness(training, heldOut, generated, { target: "z" });
    expect(result.measure).toBe(measure);
    expect(result.real.value).toBeCloseTo(scores.training[name], 6);
    expect(result.generated.value).toBeCloseTo(scores.generated[name], 6);
    expect(result.difference.value).toBeCloseTo(scores.generated[name] - scores.training[name], 6);
    // The differences on the same rows vary less than both scores.
    expect(result.difference.standardError).toBeLessThan(
      result.real.standardError + result.generated.standardError,
    );
  },
);

it("predicts the last column of labels, or without one the numbers that are predicted best", () => {
  const [training, heldOut] = [tables.training, tables.heldOut];
  expect(usefulness(labels(training), labels(heldOut), labels(training)).target).toBe("z");
  expect(usefulness(numbers(training), numbers(heldOut), numbers(training)).target).toBe("z");
});

it("does not predict numbers whose squares overflow", () => {
  const [training, heldOut] = [tables.training, tables.heldOut].map((table) => ({
    ...numbers(table),
    w: table[0]!.map((value) => 1e200 * value),
  }));
  expect(usefulness(training!, heldOut!, training!).target).toBe("z");
});

it.each([labels, numbers])("is not known if no generated row has a value of the target", (read) => {
  const [training, heldOut] = [tables.training, tables.heldOut].map(read);
  const { z, ...others } = training!;
  const { generated, difference } = usefulness(
    training!,
    heldOut!,
    { ...others, z: z!.map(() => null) },
    { target: "z" },
  );
  expect([generated.value, difference.value]).toEqual([Number.NaN, Number.NaN]);
});

it("refuses a column that cannot be the target", () => {
  const rows = labels(tables.heldOut);
  expect(() => usefulness(rows, rows, rows, { target: "Z" })).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the target "Z" is not a column of the tables: expected one of x, y, z.
    Did you mean "z"?]
  `);
  const constant = { ...rows, w: rows.z.map(() => "same") };
  const rare = { ...rows, z: rows.z.map((_, n) => (n < 2 ? "no" : "yes")) };
  const flat = { ...rows, x: rows.x.map(() => 1) };
  expect(() => usefulness(constant, rows, rows, { target: "w" })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the column "w" cannot be the target: expected a varying column of numbers, or with 2 to 20 labels in 5 test rows or more each, received a column that is constant or that identifies the rows.]`,
  );
  expect(() => usefulness(rows, rare, rows, { target: "z" })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the column "z" cannot be the target: expected a varying column of numbers, or with 2 to 20 labels in 5 test rows or more each, received 2 labels, the rarest of which is in 2 test rows.]`,
  );
  expect(() => usefulness(rows, flat, rows, { target: "x" })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the column "x" cannot be the target: expected a varying column of numbers, or with 2 to 20 labels in 5 test rows or more each, received numbers that do not vary.]`,
  );
});
