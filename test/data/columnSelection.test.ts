import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { openTable, readRows, type Table } from "../../src/tables/io/index.ts";
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

it("accepts all numeric types, and keeps the order of the chosen columns", async () => {
  const table = await openTable(`SELECT 1::TINYINT AS a, 1::USMALLINT AS b, 1::UBIGINT AS c, 1::HUGEINT AS d,
    1::DECIMAL(10, 3) AS e, 1::FLOAT AS f, 1::DOUBLE AS g, 1::UHUGEINT AS h, 1::UINTEGER AS i, 1::BIGNUM AS j`);
  expect(await table.numericColumns()).toEqual([..."abcdefghij"]);
  expect(await table.numericColumns(["e", "a"])).toEqual(["e", "a"]);
  await table.close();
});

it("accepts the columns of a table without rows", async () => {
  const table = await openTable(files.write("header.csv", "a,b\n"));
  expect(table.rows).toBe(0);
  expect(await table.numericColumns()).toEqual(["a", "b"]);
  await table.close();
});

it("throws an error for columns that are not numeric, with the first value that is not a number", async () => {
  const path = files.write("houses.csv", HOUSES);
  expect(await selecting(path)).toMatchInlineSnapshot(`
    "DATA houses.csv has columns that are not numeric: expected numbers in every column, or a choice of columns, received "price" ('n/a' in row 2), "street" (VARCHAR), "sold" (DATE).
    Correct the value, or read it as missing (--na n/a). Choose among the numeric columns: --columns area, or learn them for each label: --given street"
  `);
  expect(await selecting(path, ["area", "price"])).toMatchInlineSnapshot(`
    "DATA houses.csv has a column that is not numeric: expected numbers in the chosen columns, received "price" ('n/a' in row 2).
    Correct the value, or read it as missing (--na n/a). Choose among the numeric columns: --columns area"
  `);
  expect(await selecting(path, ["street"])).toMatchInlineSnapshot(`
    "DATA houses.csv has a column that is not numeric: expected numbers in the chosen columns, received "street" (VARCHAR).
    Choose among the numeric columns: --columns area, or learn them for each label: --given street"
  `);
  expect(await selecting("SELECT true AS yes, 1 AS n")).toMatchInlineSnapshot(`
    "DATA the query has a column that is not numeric: expected numbers in every column, or a choice of columns, received "yes" (BOOLEAN).
    Choose among the numeric columns: --columns n, or learn them for each label: --given yes"
  `);
  expect(await selecting(files.write("void.csv", "a,b\n1,\n2,\n"))).toMatchInlineSnapshot(`
    "DATA void.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "b" (only missing values).
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
    For decimal commas, use --decimal ",". Choose among the numeric columns: --columns a"
  `);
  expect(
    await selecting(files.write("mixed.jsonl", '{"a": 1}\n{"a": 2}\n{"a": "x"}\n')),
  ).toMatchInlineSnapshot(`
    "DATA mixed.jsonl has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('x' in row 3).
    Correct the value, or read it as missing (--na x)."
  `);
});

it("has the row of this value in a large file", async () => {
  const path = files.write("large.csv", `a\n${"1\n".repeat(400_000)}x\n${"1\n".repeat(1000)}`);
  expect(await selecting(path)).toContain("\"a\" ('x' in row 400001)");
});

it("suggests --na for the words of all columns that may mean missing values", async () => {
  expect(
    await selecting(files.write("na.csv", "a,b,c\n1,?,1\nNA,2,2\n3,4,n/a\n3,5,?\n4,NA,5\n")),
  ).toMatchInlineSnapshot(`
    "DATA na.csv has columns that are not numeric: expected numbers in every column, or a choice of columns, received "a" ('NA' in row 2), "b" ('?' in row 1, 'NA' in row 5), "c" ('n/a' in row 3, '?' in row 4).
    Correct the values, or read them as missing (--na 'NA,?,n/a')."
  `);
  const rows = Array.from({ length: 20 }, (_, i) => `${i}.5\nx${i}\n1\n`).join("");
  expect(await selecting(files.write("many.csv", `a\n${rows}`))).toMatchInlineSnapshot(`
    "DATA many.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('x0' in row 2, 'x1' in row 5, 'x2' in row 8 and more).
    Correct the values."
  `);
});

/** The query that a message proposes, as a shell reads it. */
function queryIn(message: string): string {
  const word = /in place of the file: (.*?)\.(?: Choose|$)/.exec(message)![1]!;
  return String(execFileSync("sh", ["-c", `printf %s ${word}`]));
}

it("suggests options and queries that convert text to numbers, and that work", async () => {
  const cases: [name: string, content: string, values: number[]][] = [
    ["commas.csv", "a;b\n1,5;2\n0,5;3\n", [1.5, 0.5]],
    ["tabs.tsv", "a\tb\n1,5\t2\n0,25\t3\n", [1.5, 0.25]],
    ["thousands.csv", 'a,b\n"1,234,567",2\n5,3\n', [1234567, 5]],
    ["text.json", '[{"a": "1.5", "order": "2"}, {"a": "2.5", "order": "3"}]', [1.5, 2.5]],
    ["[text].json", '[{"a": "1.5", "b": 2}, {"a": "2.5", "b": 3}]', [1.5, 2.5]],
    ["ending.txt", "a;b\n1,5;2\n0,5;3\n", [1.5, 0.5]],
  ];
  for (const [name, content, values] of cases) {
    const path = files.write(name, content);
    const message = await selecting(path);
    const inDirectory = (query: string) =>
      query.replaceAll(/'([^']*\.\w+)'/g, (_, file) => `'${files.path(file)}'`);
    const table = await (message.includes('use --decimal ","')
      ? openTable(path, { decimal: "," })
      : openTable(inDirectory(queryIn(message))));
    expect([...(await readRows(table, ["a"])).values]).toEqual(values);
    await table.close();
  }
  expect(await selecting(files.write("unclear.csv", 'a,b\n"1,234",2\n5,3\n'))).toMatchInlineSnapshot(`
    "DATA unclear.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('1,234' in row 1).
    For decimal commas, use --decimal ",". For thousands separators, use a query in place of the file: "FROM read_csv('unclear.csv', thousands = ',', delim = ',')". Choose among the numeric columns: --columns b"
  `);
  expect(await selecting(files.path("text.json"))).toMatchInlineSnapshot(`
    "DATA text.json has columns that are not numeric: expected numbers in every column, or a choice of columns, received "a" (numbers as VARCHAR), "order" (numbers as VARCHAR).
    Convert text to numbers in a query in place of the file: 'SELECT * REPLACE (CAST(a AS DOUBLE) AS a, CAST("order" AS DOUBLE) AS "order") FROM '\\''text.json'\\'''."
  `);
  expect(await selecting("SELECT '1' AS a, 2 AS b")).toMatchInlineSnapshot(`
    "DATA the query has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" (numbers as VARCHAR).
    Convert text to numbers in a query: "SELECT * REPLACE (CAST(a AS DOUBLE) AS a) FROM ...". Choose among the numeric columns: --columns b"
  `);
});

it("suggests to exclude columns if most are numeric", async () => {
  const names = [..."abcdefghij"];
  const path = files.write("most.csv", `${names.join()},place\n${names.map((_, i) => i).join()},Rome\n`);
  expect(await selecting(path)).toMatchInlineSnapshot(`
    "DATA most.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "place" (VARCHAR).
    Leave the others out: --exclude place, or learn them for each label: --given place"
  `);
});

it("throws an error for columns that do not exist or are listed twice", async () => {
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
