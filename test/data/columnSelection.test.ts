import { expect, it } from "vitest";
import { openTable, type Table } from "../../src/data/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

async function selecting(source: string, names?: string[]): Promise<string> {
  let table: Table | undefined;
  return files
    .failure(async () => {
      table = await openTable(source);
      return table.numericColumns(names);
    })
    .finally(() => table?.close());
}

const HOUSES = "price,area,street,sold\n10,1.5,Main,2020-01-01\nn/a,2,Oak,2021-01-01\n12,,Elm,2022-01-01\n";

it("takes all numeric types, and keeps the order of the choice", async () => {
  const table = await openTable(`SELECT 1::TINYINT AS a, 1::USMALLINT AS b, 1::UBIGINT AS c, 1::HUGEINT AS d,
    1::DECIMAL(10, 3) AS e, 1::FLOAT AS f, 1::DOUBLE AS g, 1::UHUGEINT AS h, 1::UINTEGER AS i, 1::BIGNUM AS j`);
  expect(await table.numericColumns()).toEqual([..."abcdefghij"]);
  expect(await table.numericColumns(["e", "a"])).toEqual(["e", "a"]);
  await table.close();
});

it("takes the columns of a table without rows", async () => {
  const table = await openTable(files.write("header.csv", "a,b\n"));
  expect(table.rows).toBe(0);
  expect(await table.numericColumns()).toEqual(["a", "b"]);
  await table.close();
});

it("refuses columns that are not numeric, and names the first value that is not in a column of numbers", async () => {
  const path = files.write("houses.csv", HOUSES);
  expect(await selecting(path)).toMatchInlineSnapshot(`
    "DATA houses.csv has columns that are not numeric: expected numbers in every column, or a choice of columns, received "price" ('n/a' in row 2), "street" (VARCHAR), "sold" (VARCHAR).
    Choose among the numeric columns: --columns area, or learn them for each label: --given street,sold"
  `);
  expect(await selecting(path, ["area", "price"])).toMatchInlineSnapshot(`
    "DATA houses.csv has a column that is not numeric: expected numbers in the chosen columns, received "price" ('n/a' in row 2).
    Correct the value, or read it as missing with a query in place of the file: "FROM read_csv('houses.csv', nullstr = ['', 'n/a'])". Choose among the numeric columns: --columns area"
  `);
  expect(await selecting(path, ["street"])).toMatchInlineSnapshot(`
    "DATA houses.csv has a column that is not numeric: expected numbers in the chosen columns, received "street" (VARCHAR).
    Choose among the numeric columns: --columns area, or learn them for each label: --given street"
  `);
  expect(await selecting("SELECT true AS yes, 1 AS n")).toMatchInlineSnapshot(`
    "DATA the query has a column that is not numeric: expected numbers in every column, or a choice of columns, received "yes" (BOOLEAN).
    Choose among the numeric columns: --columns n"
  `);
  expect(await selecting(files.write("void.csv", "a,b\n1,\n2,\n"))).toMatchInlineSnapshot(`
    "DATA void.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "b" (no values at all).
    Choose among the numeric columns: --columns a"
  `);
  expect(await selecting(files.write("words.csv", "a\nx\ny\n"))).toMatchInlineSnapshot(
    `
    "DATA words.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" (VARCHAR).
    Give a table that has columns of numbers."
  `,
  );
  expect(await selecting(files.write("comma.csv", "a;b\n1;2\n2;3\n4;5\n5;0,5\n"))).toMatchInlineSnapshot(`
    "DATA comma.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "b" ('0,5' in row 4).
    For decimal commas, use a query in place of the file: "FROM read_csv('comma.csv', decimal_separator = ',')". Choose among the numeric columns: --columns a"
  `);
  expect(
    await selecting(files.write("mixed.jsonl", '{"a": 1}\n{"a": 2}\n{"a": "x"}\n')),
  ).toMatchInlineSnapshot(`
    "DATA mixed.jsonl has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('"x"' in row 3).
    Correct the value. Give a table that has columns of numbers."
  `);
});

it("counts the offending row in a large file", async () => {
  const path = files.write("large.csv", `a\n${"1\n".repeat(400_000)}x\n${"1\n".repeat(1000)}`);
  expect(await selecting(path)).toContain("\"a\" ('x' in row 400001)");
});

it("makes the query that the message proposes work", async () => {
  const path = files.write("houses.csv", HOUSES);
  const table = await openTable(`FROM read_csv('${path}', nullstr = ['', 'n/a'])`);
  expect(await table.numericColumns(["price", "area"])).toEqual(["price", "area"]);
  await table.close();
});

it("refuses columns that are not there or come twice", async () => {
  const path = files.write("houses.csv", HOUSES);
  expect(await selecting(path, ["pricee"])).toMatchInlineSnapshot(`
    "DATA houses.csv has no column "pricee": expected one of "price", "area", "street", "sold".
    Did you mean "price"?"
  `);
  expect(await selecting(path, ["Area"])).toMatchInlineSnapshot(`
    "DATA houses.csv has no column "Area": expected one of "price", "area", "street", "sold".
    Did you mean "area"?"
  `);
  expect(await selecting(path, ["height"])).toMatchInlineSnapshot(`
    "DATA houses.csv has no column "height": expected one of "price", "area", "street", "sold".
    Correct the name."
  `);
  expect(await selecting(path, ["area", "area"])).toMatchInlineSnapshot(`
    "ARGUMENT The column "area" is chosen twice.
    Choose each column once."
  `);
});
