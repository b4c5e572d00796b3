import { mkdirSync, rmdirSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { knownValues } from "../../src/cli/knownValues.ts";
import { Random } from "../../src/random/index.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { rowsOf, workplace } from "./command.ts";

const { path, write, pushforward, failure } = workplace();

/** Orders of two shops: the price depends on the shop, and the number of items on the price. Prices are missing in places. */
function orders(rows: number): string {
  const random = new Random(5);
  const uniform = random.split("uniform").uniform(new Float64Array(2 * rows));
  const normal = random.split("normal").normal(new Float64Array(rows));
  const lines = Array.from({ length: rows }, (_, n) => {
    const shop = uniform[2 * n] < 0.5 ? "north" : "south";
    const price = (shop === "north" ? 20 : 80) + 5 * normal[n];
    const items = Math.max(1, Math.round(price / 20));
    return `${shop},${uniform[2 * n + 1] < 0.1 ? "" : price.toFixed(3)},${items},EUR`;
  });
  return ["shop,price,items,currency", ...lines, ""].join("\n");
}

let model: string;
let table: string;

beforeAll(async () => {
  table = write("orders.csv", orders(1500));
  model = path("orders.safetensors");
  const options = ["--budget", "small", "--epochs", "60", "--no-kernel"];
  const { code } = await pushforward(["fit", table, ...options, "-o", model]);
  expect(code).toBe(0);
}, 120_000);

it("draws rows given values of any columns", async () => {
  const { code, out } = await pushforward(["sample", model, "--given", "shop=south,items=4", "-n", "200"]);
  expect(code).toBe(0);
  const prices = rowsOf(out).flatMap(([shop, price, items]) => {
    expect([shop, items]).toEqual(["south", "4"]);
    return price === "" ? [] : [Number(price)];
  });
  prices.sort((a, b) => a - b);
  expect(Math.abs(prices[Math.floor(prices.length / 2)]! - 80)).toBeLessThan(4);
});

it("draws rows given that a value is missing", async () => {
  const { out } = await pushforward(["sample", model, "--given", "price=,items=4", "-n", "50"]);
  const rows = rowsOf(out);
  expect(rows.map(([, price, items]) => [price, items])).toEqual(new Array(50).fill(["", "4"]));
  expect((await pushforward(["sample", model, "--given", 'items=4,price=""', "-n", "50"])).out).toBe(out);
  expect(await failure("sample", model, "--given", "items=")).toMatchInlineSnapshot(`
    "2
    Error: The given value of column "items" is missing: expected a value, because no value of this column was missing in training.
    Give a value. If it is not known, leave this column out."
  `);
  expect(await failure("sample", model, "--given", "price=NULL")).toMatchInlineSnapshot(`
    "2
    Error: --given has an invalid value of price: expected a finite number, received NULL.
    If the value is missing, write price= without a value."
  `);
});

it("draws rows for each row of a table, which may lack columns and values", async () => {
  const given = write("given.csv", "items,shop\n1,north\n4,\n");
  const { code, out } = await pushforward(["sample", model, "--given", given, "-n", "50"]);
  expect(code).toBe(0);
  const rows = rowsOf(out);
  expect(rows.map(([, , items]) => items)).toEqual([...new Array(50).fill("1"), ...new Array(50).fill("4")]);
  expect(rows.slice(0, 50).every(([shop]) => shop === "north")).toBe(true);
  expect(rows.slice(50).filter(([shop]) => shop === "south").length).toBeGreaterThan(40);
});

it("reads values as values, even if the current directory has a directory or a file of this name", async () => {
  const words = ["sample", model, "--given", "shop=north", "-n", "2"];
  const expected = await pushforward(words);
  expect(expected.code).toBe(0);
  const previous = process.cwd();
  process.chdir(path(""));
  try {
    mkdirSync("shop=north");
    expect(await pushforward(words)).toEqual(expected);
    rmdirSync("shop=north");
    write("shop=north", "items\n1\n");
    expect(await pushforward(words)).toEqual(expected);
    const file = ["sample", model, "--given", "./shop=north", "-n", "2"];
    expect(rowsOf((await pushforward(file)).out).map(([, , items]) => items)).toEqual(["1", "1"]);
  } finally {
    process.chdir(previous);
  }
});

it("draws rows that meet a condition, also given values", async () => {
  const words = ["sample", model, "--where", "items >= 4", "--given", "shop=south", "-n", "50"];
  const { code, out, err } = await pushforward(words);
  expect(code).toBe(0);
  const rows = rowsOf(out);
  expect(rows.length).toBe(50);
  expect(rows.every(([shop, , items]) => shop === "south" && Number(items) >= 4)).toBe(true);
  expect(err).toMatch(/^50 of \d+ drawn rows meet the condition \(\d+%\)\.$/m);
  const given = write("some.csv", "items\n1\n");
  expect(await failure("sample", model, "--where", "items > 1", "--given", given)).toMatchInlineSnapshot(`
    "2
    Error: --where cannot be combined with a table in --given.
    Give values: --given region=north,age=40"
  `);
  expect(await failure("sample", model, "--where", "item > 1")).toMatchInlineSnapshot(`
    "2
    Error: DuckDB cannot read the condition (Referenced column "item" not found in FROM clause): received item > 1.
    Correct the condition. The columns are "shop" (text), "price" (number), "items" (integer), "currency" (text)."
  `);
});

it("refuses values on which no row can depend, before it writes a header", async () => {
  expect(await failure("sample", model, "--given", "items=2.5")).toMatchInlineSnapshot(`
    "2
    Error: The given value of column "items" is not possible: expected integer: within 1 to 5, received 2.5.
    Give another value, or leave this column out."
  `);
  expect(await failure("sample", model, "--given", "shop=noth")).toMatchInlineSnapshot(`
    "2
    Error: Column "shop" has no label noth: expected north, south, received noth.
    Did you mean "north"?"
  `);
  expect(await failure("sample", model, "--given", "currency=USD")).toMatchInlineSnapshot(`
    "2
    Error: The given value of column "currency" is not possible: expected constant: EUR, received USD.
    Give another value, or leave this column out."
  `);
  expect(await failure("sample", model, "--given", "shops=north")).toMatchInlineSnapshot(`
    "2
    Error: The model has no column "shops": expected one of shop, price, items or currency.
    Did you mean shop?"
  `);
  expect(await failure("sample", model, "--given", "price=12,5")).toMatchInlineSnapshot(`
    "2
    Error: --given has a value without the name of a column: expected COLUMN=VALUE, and commas only between them, received 5.
    Write numbers with a decimal point, and quote a value that contains a comma or a line break: --given 'name="a, b"'"
  `);
  const bad = write("bad.csv", "shop\nnorth\nwest\n");
  expect(await failure("sample", model, "--given", bad)).toMatchInlineSnapshot(`
    "2
    Error: Row 2 of bad.csv has a label of "shop" that training did not see: west. All such labels together have a small probability.
    Correct the value, or leave the row out in a query."
  `);
  const other = write("other.csv", "a\n1\n");
  expect(await failure("sample", model, "--given", other)).toMatchInlineSnapshot(`
    "2
    Error: The model has no column "a": expected one of shop, price, items or currency, received the columns of other.csv in --given.
    Leave it out in a query: --given "SELECT * EXCLUDE (a) FROM 'other.csv'""
  `);
  const misspelled = write("misspelled.csv", "items,shp\n1,north\n");
  expect(await failure("sample", model, "--given", misspelled)).toMatchInlineSnapshot(`
    "2
    Error: The model has no column "shp": expected one of shop, price, items or currency, received the columns of misspelled.csv in --given.
    Did you mean shop?"
  `);
});

it("imputes missing values, and keeps all others", async () => {
  const incomplete = write(
    "incomplete.csv",
    "note,price,shop,items\nfirst,,north,1\nsecond,81.5,,4\nthird,7e9,west,2\n",
  );
  const { code, out, err } = await pushforward(["impute", model, incomplete, "-o", "-"]);
  expect(code).toBe(0);
  const [first, second, third] = rowsOf(out);
  expect(Math.abs(Number(first![1]) - 20)).toBeLessThan(30);
  expect([first![0], first![2], first![3]]).toEqual(["first", "north", "1"]);
  expect(second).toEqual(["second", "81.5", "south", "4"]);
  expect(third).toEqual(["third", "7e9", "west", "2"]);
  expect(err).toContain('Row 3 of incomplete.csv has a label of "shop" that training did not see: west.');
  const again = await pushforward(["impute", model, incomplete, "-o", "-", "--seed", "1"]);
  expect(again.out).not.toBe(out);
});

it("scores some columns given others: log p(shop, items) = log p(shop) + log p(items | shop)", async () => {
  const scores = async (...options: string[]) =>
    rowsOf((await pushforward(["score", model, table, ...options, "-o", "-"])).out).map((row) =>
      Number(row.at(-1)),
    );
  const joint = await scores("--of", "shop,items");
  const shop = await scores("--of", "shop");
  const items = await scores("--of", "items", "--given", "shop");
  joint.slice(0, 50).forEach((value, n) => {
    expect(value).toBeCloseTo(shop[n]! + items[n]!, 4);
  });
  expect(await failure("score", model, table, "--given", "shop", "-o", "-")).toMatchInlineSnapshot(`
    "2
    Error: --given needs --of.
    Name the columns to score: --of price --given area,rooms"
  `);
  expect(
    await failure("score", model, table, "--of", "shop", "--given", "shop", "-o", "-"),
  ).toMatchInlineSnapshot(`
    "2
    Error: The column "shop" is both in --of and in --given.
    Remove it from one of them."
  `);
});

it("warns of values that training did not have, and refuses them with --strict", async () => {
  const news = write("new.csv", "shop,price,items,currency\nwest,20,1,EUR\nnorth,20,1,USD\nnorth,,1,EUR\n");
  const { code, out, err } = await pushforward(["score", model, news, "-o", "-"]);
  expect(code).toBe(0);
  const [west, dollars, gap] = rowsOf(out).map((row) => Number(row.at(-1)));
  expect(Number.isFinite(west)).toBe(true);
  expect(dollars).toBe(Number.NEGATIVE_INFINITY);
  expect(Number.isFinite(gap)).toBe(true);
  expect(err).toMatchInlineSnapshot(`
    "Warning: Row 1 of new.csv has a label of "shop" that training did not see: west. All such labels together have a small probability.
    Warning: Row 2 of new.csv has a value of "currency" that the model considers impossible: USD (expected constant: EUR). Its log-density is -Infinity.
    "
  `);
  expect(await failure("score", model, news, "--strict", "-o", "-")).toMatchInlineSnapshot(`
    "2
    Error: Row 1 of new.csv has a label of "shop" that training did not see: west. All such labels together have a small probability.
    Without --strict these rows are scored."
  `);
});

it("shows kinds, members and the meaning of log-densities in inspect", async () => {
  const { out } = await pushforward(["inspect", model]);
  expect(out).toContain("shop: categorical (");
  expect(out).toContain("a density for continuous columns, times a probability for all others");
  expect(out).not.toContain("kernel density");
});

it("checks the text of a given date or time", () => {
  const parsed = (type: "date" | "timestamp" | "time", text: string) =>
    knownValues(`t=${text}`, [{ kind: "constant", name: "t", type, gaps: false, value: null }]);
  expect(parsed("date", "2024-12-31")).toEqual({ t: "2024-12-31" });
  expect(parsed("timestamp", "2024-12-31 14:30:00")).toEqual({ t: "2024-12-31 14:30:00" });
  expect(parsed("time", "14:30")).toEqual({ t: "14:30" });
  expect(() => parsed("date", "2024-13-01")).toThrow(
    "--given has an invalid value of t: expected a date in ISO 8601, such as 2024-12-31, received 2024-13-01",
  );
  expect(() => parsed("date", "11.3.2023")).toThrow("expected a date in ISO 8601, such as 2024-12-31");
  expect(() => parsed("date", "14:30")).toThrow("expected a date in ISO 8601, such as 2024-12-31");
  expect(() => parsed("time", "14.30")).toThrow("expected a time of day in ISO 8601, such as 14:30:00");
});

it("takes every notation of a query for a query", () => {
  const column = { kind: "constant", name: "t", type: "date", gaps: false, value: null } as const;
  for (const query of [
    "SELECT * FROM 'a.csv' WHERE x=1",
    "SELECT* FROM 'a.csv' WHERE x=1",
    "FROM'a.csv' WHERE x=1",
  ])
    expect(knownValues(query, [column])).toBe(undefined);
});

it("reads given booleans in any case", () => {
  const column = { kind: "categorical", name: "b", type: "boolean", gaps: false, labels: ["false", "true"] };
  const parsed = (text: string) => knownValues(text, [column as TableColumn]);
  expect([parsed("b=TRUE"), parsed("b=False")]).toEqual([{ b: true }, { b: false }]);
  expect(() => parsed("b=yes")).toThrow("expected true or false, received yes");
});

it("keeps blanks in quotes around names and values of --given", () => {
  const [column, plain] = [" lead", "k"].map(
    (name): TableColumn => ({ kind: "constant", name, type: "text", gaps: false, value: null }),
  );
  const parsed = (text: string) => knownValues(text, [column!, plain!]);
  expect(parsed('" lead"=x,"k= y"')).toEqual({ " lead": "x", k: " y" });
  expect(parsed('" lead"="x, y ", k=z')).toEqual({ " lead": "x, y ", k: "z" });
  expect(() => parsed(" lead=x")).toThrow('The model has no column "lead"');
  expect(() => parsed(" lead=x")).toThrow('Did you mean " lead"?');
  expect(() => parsed(" =3")).toThrow('The model has no column ""');
});
