import { describe, expect, it } from "vitest";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const csv = (name: string, ...rows: string[]) => files.write(`${name}.csv`, `${rows.join("\n")}\n`);

/** Columns of several kinds, with missing values, and the labels and numbers of a context. */
const sales = csv(
  "sales",
  "day,price,shop,staff",
  ...Array.from({ length: 60 }, (_, i) => {
    const price = i % 7 === 0 ? "" : (10 * Math.sin(i)).toFixed(3);
    return [`${1 + (i % 28)}/${1 + (i % 12)}/2020`, price, i % 9 ? "ab"[i % 2] : "", 1 + (i % 4)].join(",");
  }),
);

describe("a table with columns of any kind", () => {
  it("has the same rows in memory and as a stream, without those whose context is missing", async () => {
    const options = { kinds: {}, given: ["shop", "staff"] };
    const memory = await readTrainingTable(sales, options);
    const stream = await readTrainingTable(sales, { ...options, maxNumbersInMemory: 0 });
    expect(memory.columns).toEqual(["day.week", "day.weekday", "price"]);
    expect(memory.given).toEqual(["staff", "shop"]);
    expect(memory.missing).toBe(7);
    for (const name of ["columns", "table", "described", "given", "labels", "embedding", "missing"] as const)
      expect(stream[name]).toEqual(memory[name]);
    const [expected, received] = [memory.rows.sample, stream.rows.sample];
    expect(received.values).toEqual(expected.values);
    expect(received.context).toEqual(expected.context);
    expect(received.rowNumbers).toEqual(expected.rowNumbers);
    // Only 8 prices are missing: the dates, which begin with the day, are read.
    expect(expected.values.filter(Number.isNaN)).toHaveLength(8);
    await memory.close();
    await stream.close();
  });

  it("has no columns whose features have the same name", async () => {
    const query = `SELECT DATE '2020-01-01' + i::INT AS date, 'ab'[1 + i % 2] AS "date.weekday" FROM range(60) AS t(i)`;
    expect(await files.failure(readTrainingTable(query, { kinds: {} }))).toMatchInlineSnapshot(`
      "DATA the columns "date" and "date.weekday" need the same feature name: received date.weekday.
      Rename one of them, or leave it out."
    `);
    expect((await readTrainingTable(query, { kinds: {}, columns: ["date"] })).columns).toEqual([
      "date.week",
      "date.weekday",
    ]);
  });

  it("has no notes about repeated values, which have probabilities", async () => {
    const query =
      "SELECT CASE WHEN i % 3 > 0 THEN sin(i) ELSE 0 END AS x, i % 4 AS n FROM range(300) AS t(i)";
    const numbers = await readTrainingTable(query);
    expect(numbers.notes().map(({ kind }) => kind)).toEqual(["fewValues", "atoms"]);
    expect((await readTrainingTable(query, { kinds: {} })).notes()).toEqual([]);
  });

  it("has a note about equal rows only if they are equal in all columns, context included", async () => {
    // Four rows of each of 300 stations, which have the same coordinates and differ in the year.
    const query = (others: string) =>
      `SELECT sin(i) AS lat, cos(i * i) AS lon, ${others} FROM range(300) AS s(i), range(4) AS t(year)`;
    const noted = async (source: string, given: string[] = []) =>
      (await readTrainingTable(source, { kinds: {}, given })).notes().map(({ kind }) => kind);
    const stations = query("year, 'ab'[1 + year % 2] AS kind");
    expect(await noted(stations)).toEqual([]);
    expect(await noted(stations, ["year"])).toEqual([]);
    expect(await noted(query("'abcd'[1 + year] AS kind"), ["kind"])).toEqual([]);
    expect(await noted(`${stations} UNION ALL (${stations} WHERE i < 30)`)).toEqual(["equalRows"]);
  });

  it("has hints that run: queries, and options that do not change values of other columns", async () => {
    const hints = async (columns: string, given: string[] = []) => {
      const query = `SELECT sin(i) AS x, ${columns} FROM range(300) AS t(i)`;
      return (await readTrainingTable(query, { kinds: {}, given })).notes().map(({ hint }) => hint);
    };
    const code = "CASE WHEN i % 30 = 0 THEN -999 ELSE cos(3 * i) END AS y";
    expect(await hints(`${code}, i % 3 AS kind`)).toMatchInlineSnapshot(`
      [
        "If they are, read them as missing: --na -999",
      ]
    `);
    expect(await hints(`${code}, [5, -999, 8, 17][1 + i % 4] AS kind`)).toMatchInlineSnapshot(`
      [
        "If they are, read them as missing: "SELECT * REPLACE (nullif(y, -999) AS y) FROM (SELECT sin(i) AS x, CASE WHEN i % 30 = 0 THEN -999 ELSE cos(3 * i) END AS y, [5, -999, 8, 17][1 + i % 4] AS kind FROM range(300) AS t(i))"",
      ]
    `);
    expect(await hints(`2 * x AS y, 'ab'[1 + i % 2] AS kind`)).toMatchInlineSnapshot(`
      [
        "Leave out the columns that follow from others: --columns x,kind",
      ]
    `);
    expect(await hints(`cos(3 * i) AS y, x + y AS sum, i % 3 AS kind`, ["x", "y"])).toMatchInlineSnapshot(`
      [
        "Leave out the columns that follow from others: --columns kind",
      ]
    `);
  });

  it("has no column of numbers or dates with a few words, which would be left out", async () => {
    const failure = (name: string, text: (i: number) => string, kinds = {}) => {
      const rows = Array.from({ length: 100 }, (_, i) => `${text(i)},${i % 3}`);
      return files.failure(readTrainingTable(csv(name, "a,b", ...rows), { kinds }));
    };
    const day = (i: number) => new Date(864e5 * i).toISOString().slice(0, 10);
    const oneWrong = (i: number) => (i === 41 ? "2024-13-01" : day(i));
    expect(await failure("dates", oneWrong)).toMatchInlineSnapshot(`
      "DATA Column "a" of dates.csv has dates, but not in all rows: received '2024-13-01' in row 42.
      Correct them, read them as missing (--na 2024-13-01), or leave the column out (--exclude a)."
    `);
    expect(await failure("repeated", (i) => (i === 41 ? "2024-02-31" : day(i % 20)))).toMatchInlineSnapshot(`
      "DATA Column "a" of repeated.csv has dates, but not in all rows: received '2024-02-31' in row 42.
      Correct them, read them as missing (--na 2024-02-31), or leave the column out (--exclude a)."
    `);
    expect(
      await failure("numbers", (i) => (i === 9 ? "unknown" : i === 30 ? "-" : `${Math.sin(i)}`)),
    ).toMatchInlineSnapshot(`
      "DATA Column "a" of numbers.csv has numbers, but not in all rows: received 'unknown' in row 10, '-' in row 31.
      Correct them, read them as missing (--na unknown,-), or leave the column out (--exclude a)."
    `);
    // The user may leave the column out. Texts that are mostly numbers may be tickets.
    expect(await failure("dates", oneWrong, { a: "exclude" })).toBe("no failure");
    expect(await failure("tickets", (i) => (i % 3 === 0 ? `A/${i}` : `${1000 + i}`))).toBe("no failure");
    // Repeated numbers may be codes, for which labels are right.
    expect(await failure("codes", (i) => (i % 7 === 0 ? "3+" : `${i % 3}`))).toBe("no failure");
  });

  it("must have a column that varies, and so must its context", async () => {
    const failure = (rows: string[], given: string[] = []) =>
      files.failure(readTrainingTable(csv("constant", ...rows), { kinds: {}, given }));
    expect(await failure(["a,b", "1,x", "1,x"])).toMatchInlineSnapshot(`
      "DATA All columns of constant.csv are constant: expected at least two different values, received 1, x.
      Give a column that varies."
    `);
    expect(await failure(["a,b", "1,5", "2,5"], ["b"])).toMatchInlineSnapshot(`
      "DATA The column "b" of constant.csv is constant: expected at least two different values, received 5 in all 2 rows.
      Leave it out of --given."
    `);
    expect(await failure(["a,b", "1,x", "2,x"], ["b"])).toMatchInlineSnapshot(`
      "DATA The column "b" of constant.csv is constant: expected at least two different values, received 'x' in all 2 rows.
      Leave it out of --given."
    `);
    expect(await failure(["a,b", "1,x", "2,y"], ["a", "b"])).toMatchInlineSnapshot(`
      "ARGUMENT --given leaves no column of constant.csv to learn.
      Name fewer columns in --given."
    `);
  });
});
