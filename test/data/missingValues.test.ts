import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openTable, readRows, type TableOptions, writeScored } from "../../src/tables/io/index.ts";
import { readLabels } from "../../src/tables/io/labels.ts";
import { chunk, temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const TEXT = "a,b,kind\n1,?,x\nNA,2.50,NA\n-999.0,3,y\n4, NA\t,x\n";

async function read(source: string, options: TableOptions) {
  const table = await openTable(source, options);
  const { values, rows } = await readRows(table, await table.numericColumns(["a", "b"]));
  await table.close();
  return {
    types: table.columns.map(({ type }) => type).join(),
    values: [...values],
    missing: table.rows - rows,
  };
}

it("reads the values of na as missing, and numbers in any notation", async () => {
  const path = files.write("t.csv", TEXT);
  expect(await read(path, { na: ["NA", "?"] })).toEqual({
    types: "DOUBLE,DOUBLE,VARCHAR",
    values: [-999, 3],
    missing: 3,
  });
  expect(await read(path, { na: ["NA", "?", "-999"] })).toMatchObject({
    types: "BIGINT,DOUBLE,VARCHAR",
    values: [],
  });
  expect(await read(files.write("whole.csv", "a,b\n-999,1\n5,-9.99e2\n7,8\n"), { na: ["-999"] })).toEqual({
    types: "BIGINT,BIGINT",
    values: [7, 8],
    missing: 2,
  });
});

it("works in all formats", async () => {
  const json = files.write("t.jsonl", '{"a": 1, "b": "NA"}\n{"a": -999, "b": 2.5}\n{"a": 3, "b": 4}\n');
  expect(await read(json, { na: ["NA", "-999"] })).toEqual({
    types: "HUGEINT,DOUBLE",
    values: [3, 4],
    missing: 2,
  });
  expect(await read("SELECT unnest([1, -999, 3]) AS a, 5 AS b", { na: ["-999"] })).toEqual({
    types: "INTEGER,INTEGER",
    values: [1, 5, 3, 5],
    missing: 1,
  });
  const query = "SELECT unnest(['1', 'NA', '2.5']) AS a, unnest([1, 2, -999]::FLOAT[]) AS b";
  expect(await read(query, { na: ["NA", "-999"] })).toEqual({
    types: "DOUBLE,FLOAT",
    values: [1, 1],
    missing: 2,
  });
});

it("reads fields with only blanks as missing, whatever the type of the column", async () => {
  const text = "a,b,kind,zip\n1,  ,x,00501\n\u00a0,2.5,\t,00502\n3,4,y, \t\n\t,1,x,00503\n";
  const types = "BIGINT,DOUBLE,VARCHAR,VARCHAR";
  const path = files.write("blank.csv", text);
  expect(await read(path, {})).toEqual({ types, values: [3, 4], missing: 3 });
  expect(await read(path, { na: ["4"] })).toEqual({ types, values: [], missing: 4 });
  expect(await read("SELECT unnest(['1', ' ', '5']) AS a, 2 AS b", { na: ["5"] })).toEqual({
    types: "BIGINT,INTEGER",
    values: [1, 2],
    missing: 2,
  });
  const other = files.write("other.csv", text.replace("1,  ,x", "7,8,z"));
  const both = await openTable([path, other]);
  expect(both.columns.map(({ type }) => type).join()).toBe(types);
  expect(await readLabels(both, ["kind"])).toEqual(new Map([["kind", ["x", "y", "z"]]]));
  await both.close();
});

it("keeps columns of text in which no value of na occurs", async () => {
  const query =
    "SELECT unnest(['007', '12', '5']) AS code, unnest(['1', 'NA', '2']) AS a, unnest([1, 2, -999]) AS b";
  const table = await openTable(query, { na: ["NA", "-999"] });
  expect(table.columns.map(({ type }) => type)).toEqual(["VARCHAR", "BIGINT", "INTEGER"]);
  await writeScored(table, [chunk([1], [2], [3])], files.path("codes.csv"));
  await table.close();
  expect(readFileSync(files.path("codes.csv"), "utf8")).toBe(
    "code,a,b,log_density\n007,1,1,1.0\n12,,2,2.0\n5,2,,3.0\n",
  );
});

it("compares the types of several files without missing values", async () => {
  const paths = [files.write("one.json", '[{"x": 1}]'), files.write("two.json", '[{"x": "NA"}]')];
  const csv = ["1,5", "NA", "low"].map((x, i) => files.write(`${i}.csv`, `x;y\n${x};1\n`));
  const table = await openTable(paths, { na: ["NA"] });
  expect(table.columns).toEqual([{ name: "x", type: "BIGINT" }]);
  await table.close();
  expect(await files.failure(openTable(csv, { na: ["NA"], decimal: "," }))).toMatchInlineSnapshot(`
    "DATA Column "x" has numbers in 0.csv and text in 2.csv: received '1.5' and 'low'.
    Correct one of the files, or rename or convert the column in a query."
  `);
});

it("does not make labels of missing values", async () => {
  const table = await openTable(files.write("t.csv", TEXT), { na: ["NA"] });
  expect(await readLabels(table, ["kind"])).toEqual(new Map([["kind", ["x", "y"]]]));
  await table.close();
});

it("keeps the values of na when a text file is written as text, and writes NULL in other formats", async () => {
  const table = await openTable(files.write("t.csv", TEXT), { na: ["NA", "?", "-999"] });
  await writeScored(table, [chunk([1], [2], [3], [4])], files.path("scored.csv"));
  await writeScored(table, [chunk([1], [2], [3], [4])], files.path("scored.jsonl"), {
    numeric: ["a", "b"],
  });
  await table.close();
  expect(readFileSync(files.path("scored.csv"), "utf8").split("\n").slice(1, 5)).toEqual([
    "1,?,x,1.0",
    "NA,2.50,NA,2.0",
    "-999.0,3,y,3.0",
    "4, NA\t,x,4.0",
  ]);
  expect(readFileSync(files.path("scored.jsonl"), "utf8").split("\n")[1]).toBe(
    '{"a":null,"b":2.5,"kind":null,"log_density":2.0}',
  );
});
