import { describe, expect, it } from "vitest";
import { readTrainingTable } from "../../src/data/index.ts";
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

  it("has no notes about repeated values, which have probabilities", async () => {
    const query =
      "SELECT CASE WHEN i % 3 > 0 THEN sin(i) ELSE 0 END AS x, i % 4 AS n FROM range(300) AS t(i)";
    const numbers = await readTrainingTable(query);
    expect(numbers.notes().map(({ kind }) => kind)).toEqual(["fewValues", "atoms"]);
    expect((await readTrainingTable(query, { kinds: {} })).notes()).toEqual([]);
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
