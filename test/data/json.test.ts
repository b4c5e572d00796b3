import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { openTable } from "../../src/tables/io/index.ts";
import { readColumns } from "../../src/tables/io/readColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const failure = (name: string, content: string | Uint8Array) =>
  files.failure(openTable(files.write(name, content)));

it("throws an error for keys that differ only in case, in one row or in different rows", async () => {
  expect(await failure("case.json", '[{"a": 1, "A": 2}]')).toMatchInlineSnapshot(`
    "DATA Two columns of case.json have the same name: expected names that differ in more than upper and lower case, received "A" and "a".
    Rename one of these keys."
  `);
  expect(await failure("cases.jsonl", '{"a": 1}\n{"A": 2}\n')).toContain('received "A" and "a"');
  expect(await failure("twice.jsonl", '{"b": 3}\n{"a": 1, "a": 2}\n')).toContain(
    'an object with the key "a" twice',
  );
  expect(await failure("empty.json", '[{"": 1, "b": 2}]')).toMatchInlineSnapshot(`
    "DATA empty.json has a key without a name.
    Rename the key ""."
  `);
});

it("throws an error for deep nesting, with which DuckDB would crash", async () => {
  const deep = `{"x": 1}\n{"x": ${"[".repeat(100_000)}${"]".repeat(100_000)}}\n`;
  expect(await failure("deep.jsonl", deep)).toMatchInlineSnapshot(
    `"DATA deep.jsonl is nested too deeply in line 2: expected one object per row: {"a": 1, "b": 2}, received more than 100 nested brackets."`,
  );
  expect(await failure("deep.jsonl.gz", gzipSync(deep))).toContain("is nested too deeply in line 2");
  expect(await files.failure(openTable(`FROM '${files.path("deep.jsonl")}'`))).toMatch(
    "deep.jsonl is nested too deeply in line 2",
  );
  const brackets = `[{"x": 1, "s": "${"[".repeat(1000)}\\"[[["}]`;
  const table = await openTable(files.write("text.json", brackets));
  expect(table.rows).toBe(1);
  await table.close();
});

it("has the names of columns with nested values in its errors", async () => {
  const table = await openTable(files.write("nested.json", '[{"x": 1, "d": {"u": 1}, "e": [1, 2]}]'));
  expect(await files.failure(table.numericColumns())).toMatchInlineSnapshot(`
    "DATA nested.json has columns that are not numeric: expected numbers in every column, or a choice of columns, received "d" (STRUCT(u BIGINT)), "e" (BIGINT[]).
    Choose among the numeric columns: --columns x"
  `);
  await table.close();
});

it("reads texts that look like dates as texts, also in lists, which are left out", async () => {
  const row = { day: "2020-01-01", days: ["2020-01-01", "2020-01-02"], at: ["2020-01-01T10:00:00Z"], n: 1 };
  const table = await openTable(files.write("dates.json", JSON.stringify([row, { ...row, n: 2 }])));
  expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toMatchInlineSnapshot(`
    [
      "day VARCHAR",
      "days VARCHAR[]",
      "at VARCHAR[]",
      "n BIGINT",
    ]
  `);
  const { columns, excluded } = await readColumns(
    table,
    table.columns.map(({ name }) => name),
  );
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toMatchInlineSnapshot(`
    [
      "day date",
      "n integer",
    ]
  `);
  expect(Object.fromEntries(excluded)).toMatchInlineSnapshot(`
    {
      "at": "a model cannot learn values of the type VARCHAR[]",
      "days": "a model cannot learn values of the type VARCHAR[]",
    }
  `);
  await table.close();
});

it("reads an object with many keys as a row, not as a map", async () => {
  const row = Object.fromEntries(Array.from({ length: 300 }, (_, d) => [`x${d}`, d]));
  const table = await openTable(files.write("wide.json", JSON.stringify([row, row])));
  expect(table.columns).toHaveLength(300);
  await table.close();
});

it("throws an error for Parquet columns only if their names differ only in case", async () => {
  const path = files.path("structures.parquet");
  const { Database } = await import("../../src/tables/io/database.ts");
  const database = await Database.open("a test");
  await database.copy("SELECT {'a': 1, 'b': {'A': 2}} AS s, 3 AS a, [4] AS l", path, "FORMAT parquet");
  await database.close();
  const table = await openTable(path);
  expect(table.columns.map(({ name }) => name)).toEqual(["s", "a", "l"]);
  await table.close();
});
