import { describe, expect, expectTypeOf, test } from "vitest";
import { decodeModel, encodeModel, fitTable, type TableInput, TableModel } from "../../src/index.ts";
import { servedModel } from "../../src/serve/servedModel.ts";
import { rawColumns } from "../../src/tables/columns/tableRows.ts";

/** A smaller table is cross-validated: its model is a mixture of twice as many densities, whose graphs take twice as long to compile. */
const TABLE_ROWS = 200;
const DAY = 86_400_000;
const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + (i % 50)));

/** Columns and scores are equal, so that tests of what the loaded model returns are tests of both. */
async function expectEqualModels(loaded: TableModel, model: TableModel, rows: TableInput): Promise<void> {
  expect(loaded.columns).toEqual(model.columns);
  expect(await loaded.score(rows)).toEqual(await model.score(rows));
}

describe("dates", () => {
  const orders = Array.from({ length: TABLE_ROWS }, (_, i) => ({
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
    await expectEqualModels(loaded, model, orders);
    const [drawn] = await loaded.sample(1, { gaps: false });
    expect(drawn!.placed).toBeInstanceOf(Date);
    expect((drawn!.placed as Date).getTime() % DAY).toBe(0);
    expect(drawn!.paid).toBeInstanceOf(Date);
    expect([0, 3]).toContain((drawn!.quarter as Date).getUTCMonth());
    expect(drawn!.exported).toEqual(new Date(Date.UTC(2025, 0, 1)));
    expect(drawn!.due).toMatch(/^2024-\d\d-\d\d$/);
    const [present, imputed] = await loaded.impute([orders[1], orders[4]]);
    expect(present).toEqual(orders[1]);
    expect({ ...imputed, paid: null }).toEqual(orders[4]);
    expect(imputed!.paid).toBeInstanceOf(Date);
    // A date may be given as text too.
    const [given] = await loaded.sample(1, { given: { placed: "2024-01-05" } });
    expect(given!.placed).toEqual(day(4));
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

test("texts that only look like dates or times stay text", () => {
  const type = (texts: string[]) => rawColumns({ a: texts })[0]!.type;
  const right = { date: "2024-02-29", time: "12:59", timestamp: "2024-02-29 12:59" };
  for (const [name, text] of Object.entries(right)) expect(type([text, text])).toBe(name);
  const wrong = ["2024-13-45", "0000-00-00", "2023-02-29", "2024-02-30T10:00", "2024-01-01 25:00", "12:75"];
  for (const text of wrong) expect(type([text, text])).toBe("text");
  const [column] = rawColumns({ a: ["2024-02-28", "2024-02-30", null] });
  expect(column).toMatchObject({ type: "text", labels: ["2024-02-28", "2024-02-30"] });
});

describe("bigints", () => {
  const odd = 2n ** 53n + 1n;
  const rows = Array.from({ length: TABLE_ROWS }, (_, i) => ({
    key: i % 2 ? odd : odd - 1n,
    nanoseconds: 1_704_067_200_000_000_000n + BigInt(i * i) * 1_000_003n,
    small: BigInt(i % 7),
    flag: BigInt(Math.floor((i + 1) / 2) % 2),
    count: i % 3 === 0 ? null : BigInt(i % 5),
    constant: odd,
    mixed: i % 2 ? i % 7 : BigInt(i % 7),
    mixedKey: i % 2 ? 5 : odd,
  }));

  test("are exact in the rows of a model if all values of their column were bigints in training", {
    timeout: 60_000,
  }, async () => {
    const { model } = await fitTable(rows, {
      epochs: 1,
      budget: "small",
      kernel: false,
      columns: { flag: "boolean" },
      testFraction: 0.2,
    });
    expect(model.columns.map(({ name, kind, type }) => `${name}: ${kind} ${type}`)).toEqual([
      "key: categorical text",
      "nanoseconds: continuous integer",
      "small: lattice integer",
      "flag: categorical integer",
      "count: lattice integer",
      "constant: constant text",
      "mixed: lattice integer",
      "mixedKey: categorical text",
    ]);
    const read = await decodeModel(await encodeModel(model.contents));
    await using loaded = TableModel.from(read);
    await expectEqualModels(loaded, model, rows);
    const samples = await loaded.sample(60, { given: { key: odd } });
    expect(samples.every(({ key, constant }) => key === odd && constant === odd)).toBe(true);
    const bigints = ["nanoseconds", "small", "flag", "count"] as const;
    expect(bigints.map((name) => new Set(samples.map((row) => typeof (row[name] ?? 0n))))).toEqual(
      bigints.map(() => new Set(["bigint"])),
    );
    expect(new Set(samples.map(({ flag }) => flag as unknown))).toEqual(new Set([0n, 1n]));
    const [first] = samples;
    expect([typeof first!.mixed, typeof first!.mixedKey]).toEqual(["number", "string"]);
    const [given] = await loaded.sample(1, { given: { small: 3, count: null } });
    expect([given!.small, given!.count]).toEqual([3n, null]);

    // Present values stay as they are, also those that float64 would round.
    const exact = { ...rows[1]!, nanoseconds: 1_704_067_200_000_000_001n };
    const [imputed] = await loaded.impute([{ ...exact, small: null }]);
    const { small, mixed, mixedKey, ...others } = imputed as typeof exact;
    expect([typeof small, mixed, mixedKey]).toEqual(["bigint", 1, "5"]);
    expect(others).toEqual((({ small: _, mixed: __, mixedKey: ___, ...kept }) => kept)(exact));
    const [unknown] = await loaded.impute([{ key: "a", small: 2.5, count: 4 }]);
    expect([unknown!.key, unknown!.small, unknown!.count] as unknown[]).toEqual(["a", 2.5, 4n]);

    const texts = { ...rows[1]!, key: `${odd}`, small: 1, flag: 1 };
    const scores = await loaded.score([rows[1]!, texts, { ...rows[1]!, constant: odd + 1n }]);
    expect(scores[1]).toBe(scores[0]);
    expect([Number.isFinite(scores[0]), scores[2]]).toEqual([true, Number.NEGATIVE_INFINITY]);
    const { anomalies } = await loaded.anomalies(rows, { count: 1 });
    const reasons = new Map(anomalies[0]!.reasons.map(({ column, ...reason }) => [column, reason]));
    expect(reasons.get("key")!.value).toBe(rows[anomalies[0]!.row]!.key);
    expect(reasons.get("small")!.expected.median).toBeTypeOf("bigint");
    const served = servedModel(read);
    const [answer] = await served.sample(1, { seed: 0, given: { key: `${odd}` } });
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({
      key: `${odd}`,
      small: expect.any(Number),
      constant: `${odd}`,
    });
    await served.release();
    await model.release();
  });

  test("are named in messages", () => {
    expect(() => rawColumns([{ a: "x" }, { a: 1n }])).toThrow("expected text, received 1 (integer)");
  });

  test("cannot be stated as integers if some would be equal as numbers", async () => {
    await expect(fitTable(rows, { columns: { key: "integer" } })).rejects.toThrow(
      'column "key" cannot be integer: expected integers up to 2^53, or larger ones that stay different',
    );
  });
});

test("rows of a model have the types of the training rows", () => {
  interface Order {
    placed: Date;
    amount: number | null;
    id: bigint;
    code: number | bigint;
    note?: string;
  }
  const fit = (orders: Order[]) => fitTable(orders).then(({ model }) => model.sample(1));
  expectTypeOf(fit).returns.resolves.toEqualTypeOf<
    {
      placed: Date | null;
      amount: number | null;
      id: bigint | null;
      code: number | bigint | string | null;
      note: string | null;
    }[]
  >();
  const fitColumns = () => fitTable({ a: [1, 2] }).then(({ model }) => model);
  expectTypeOf(fitColumns).returns.resolves.toEqualTypeOf<TableModel>();
});

test.each([
  [
    [{ a: 1 }, { a: "x" }],
    'rows[1], column "a" has a different type from the rows before: expected number, received "x" (text).',
  ],
  [
    [{ a: 1 }, { a: Number.POSITIVE_INFINITY }],
    'rows[1], column "a" has a value that cannot be read: expected a finite number, text, a boolean, a date, or null, received Infinity.',
  ],
  [
    [{ a: 1 }, 2 as never],
    "the table cannot be read: expected an array of objects, or an object with an array for each column, received rows[1], which is not an object.",
  ],
  [
    [new Map([["a", 1]]) as never],
    "the table cannot be read: expected an array of objects, or an object with an array for each column, received rows[0], which is a Map.",
  ],
  [
    [{}],
    "the table cannot be read: expected an array of objects, or an object with an array for each column, received rows without columns.",
  ],
])("messages have the index of a row", (rows, message) => {
  expect(() => rawColumns(rows)).toThrow(message);
});
