import { describe, expect, expectTypeOf, test } from "vitest";
import { decodeModel, encodeModel, fitTable, TableModel } from "../../src/index.ts";
import { servedModel } from "../../src/serve/servedModel.ts";
import { rawColumns } from "../../src/tables/tableRows.ts";

const DAY = 86_400_000;
const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + (i % 50)));

describe("dates", () => {
  const orders = Array.from({ length: 120 }, (_, i) => ({
    placed: day(i),
    paid: i % 4 === 0 ? null : new Date(day(i).getTime() + 3_600_000 * (i % 24)),
    quarter: new Date(Date.UTC(2024, 3 * (i % 2), 1)),
    exported: new Date(Date.UTC(2025, 0, 1)),
    due: day(i + 7)
      .toISOString()
      .slice(0, 10),
    amount: i % 6,
  }));

  test("are Date objects in the rows of a model that was fitted to Date objects, and otherwise text", {
    timeout: 120_000,
  }, async () => {
    const { model } = await fitTable(orders, {
      epochs: 1,
      budget: "small",
      kernel: false,
      columns: { quarter: "categorical" },
    });
    const read = await decodeModel(await encodeModel(model.contents));
    await using loaded = TableModel.from(read);
    for (const each of [model, loaded]) {
      const [drawn] = await each.sample(1, { gaps: false });
      expect(drawn!.placed).toBeInstanceOf(Date);
      expect((drawn!.placed as Date).getTime() % DAY).toBe(0);
      expect(drawn!.paid).toBeInstanceOf(Date);
      expect([0, 3]).toContain((drawn!.quarter as Date).getUTCMonth());
      expect(drawn!.exported).toEqual(new Date(Date.UTC(2025, 0, 1)));
      expect(drawn!.due).toMatch(/^2024-\d\d-\d\d$/);
      const [present, imputed] = await each.impute([orders[1], orders[4]]);
      expect(present).toEqual(orders[1]);
      expect({ ...imputed, paid: null }).toEqual(orders[4]);
      expect(imputed!.paid).toBeInstanceOf(Date);
      // A date may be given as text too.
      const [given] = await each.sample(1, { given: { placed: "2024-01-05" } });
      expect(given!.placed).toEqual(day(4));
    }
    const served = servedModel(read);
    const [answer] = await served.sample(1, { seed: 0, given: { placed: "2024-01-05" } });
    expect([answer!.placed, answer!.exported]).toEqual(["2024-01-05", "2025-01-01"]);
    await served.release();
    await model.release();
  });

  test("are text if some of the training rows have text", () => {
    const [column] = rawColumns([{ a: day(0) }, { a: "2024-01-02" }]);
    expect(column).toEqual({ name: "a", type: "date", values: Float64Array.of(day(0).getTime(), +day(1)) });
  });
});

test("bigints beyond 2^53 are text in the rows of a model if they would be equal as numbers", async () => {
  const odd = 2n ** 53n + 1n;
  const rows = Array.from({ length: 80 }, (_, i) => ({
    key: i % 2 ? odd : odd - 1n,
    nanoseconds: 1_704_067_200_000_000_000n + BigInt(i * i) * 1_000_003n,
    small: BigInt(i % 7),
    constant: odd,
  }));
  const { model } = await fitTable(rows, { epochs: 1, budget: "small", kernel: false });
  expect(model.columns.map(({ kind, type }) => `${kind} ${type}`)).toEqual([
    "categorical text",
    "continuous integer",
    "lattice integer",
    "constant text",
  ]);
  const samples = await model.sample(50);
  expect(new Set(samples.map(({ key }) => key as unknown))).toEqual(new Set([`${odd}`, `${odd - 1n}`]));
  expect(samples[0]!.constant).toBe(`${odd}`);
  const scores = await model.score([rows[1]!, { ...rows[1]!, constant: odd + 1n }]);
  expect([Number.isFinite(scores[0]), scores[1]]).toEqual([true, Number.NEGATIVE_INFINITY]);
  await expect(fitTable(rows, { columns: { key: "integer" } })).rejects.toThrow(
    'column "key" cannot be integer: expected integers that differ as 64-bit floating-point numbers',
  );
  await model.release();
});

test("rows of a model have the types of the training rows", () => {
  interface Order {
    placed: Date;
    amount: number | null;
    id: bigint;
    note?: string;
  }
  const fit = (orders: Order[]) => fitTable(orders).then(({ model }) => model.sample(1));
  expectTypeOf(fit).returns.resolves.toEqualTypeOf<
    { placed: Date | null; amount: number | null; id: number | string | null; note: string | null }[]
  >();
  const fitColumns = () => fitTable({ a: [1, 2] }).then(({ model }) => model);
  expectTypeOf(fitColumns).returns.resolves.toEqualTypeOf<TableModel>();
});

test.each([
  [
    [{ a: 1 }, { a: "x" }],
    'rows[1], column "a" has another type than the rows before: expected number, received "x" (text).',
  ],
  [
    [{ a: 1 }, { a: Number.POSITIVE_INFINITY }],
    'rows[1], column "a" has a value that cannot be read: expected a finite number, text, a boolean, a date, or null, received Infinity.',
  ],
  [
    [{ a: 1 }, 2 as never],
    "the table cannot be read: expected an array of objects, or an object with an array for each column, received rows[1], which is not an object.",
  ],
])("messages have the index of a row", (rows, message) => {
  expect(() => rawColumns(rows)).toThrow(message);
});
