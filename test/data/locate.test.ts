import { execFileSync } from "node:child_process";
import { createWriteStream, mkdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, relative } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Database } from "../../src/tables/io/database.ts";
import { openTable, readRows, writeRows } from "../../src/tables/io/index.ts";
import { exactPath, expandHome, expandPatterns } from "../../src/tables/io/locate.ts";
import { chunk, temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

async function values(source: string | string[]): Promise<number[]> {
  const table = await openTable(source);
  try {
    return [...(await readRows(table, await table.numericColumns())).values];
  } finally {
    await table.close();
  }
}

describe("the name of an existing file is not a pattern", () => {
  it.each([
    ["d[1].csv", "d1.csv"],
    ["a*b.csv", "axb.csv"],
    ["q?.csv", "qq.csv"],
    ["**", "other"],
    ["[!a].csv", "b.csv"],
    ["[[].csv", "[.csv"],
    ["a].csv", "a.csv"],
    ["{x,y}.csv", "x.csv"],
    ["it's.csv", "its.csv"],
    ['say "x".csv', "say x.csv"],
    ["back\\slash.csv", "backslash.csv"],
    ["größe 密度.csv", "groesse.csv"],
    ["table%20", "table "],
    ["-dash.csv", "dash.csv"],
    ["http:x.csv", "x.csv"],
    ["new\nline.csv", "newline.csv"],
  ])("%j beside %j", async (name, neighbour) => {
    files.write(neighbour, "a\n7\n8\n");
    const path = files.write(name, "a\n1\n2\n");
    expect(await values(path)).toEqual([1, 2]);
    expect(await values(relative(process.cwd(), path))).toEqual([1, 2]);
  });

  it("also in folders, and in all formats", async () => {
    for (const [folder, value] of [
      ["run[2]", 1],
      ["run2", 7],
    ] as const) {
      mkdirSync(files.path(folder));
      for (const name of ["t[1].csv", "t[1].json", "t[1].parquet"])
        await writeRows(["a"], [chunk([value])], join(files.path(folder), name));
    }
    for (const name of ["t[1].csv", "t[1].json", "t[1].parquet"])
      expect(await values(join(files.path("run[2]"), name))).toEqual([1]);
  });

  it("also if it looks like a URL", () => {
    expect(exactPath("s3://x.csv")).toBe("./s3://x.csv");
    expect(exactPath("/tmp/s3:x.csv")).toBe("/tmp/s3:x.csv");
  });

  it("and its folders do not become columns, as with DuckDB's default", async () => {
    mkdirSync(files.path("year=2020"));
    for (const name of ["t.csv", "t.json", "t.parquet"]) {
      await writeRows(["a"], [chunk([5])], files.path(`year=2020/${name}`));
      const table = await openTable(files.path(`year=2020/${name}`));
      expect(table.columns.map((column) => column.name)).toEqual(["a"]);
      await table.close();
    }
  });

  it("but a name that DuckDB cannot open is an error", async () => {
    expect(await files.failure(openTable(files.write("back\\[1].csv", "a\n1\n")))).toMatchInlineSnapshot(`
      "FILE DuckDB cannot open back\\[1].csv: expected a path without a backslash, or without *, ? and [.
      Rename it."
    `);
  });
});

describe("a pattern", () => {
  it.each(["csv", "csv.gz", "jsonl", "json", "parquet"])(
    "reads all %s files that match, by their names",
    async (ending) => {
      for (const part of [2, 1, 3])
        await writeRows(["a", "b"], [chunk([part, 10])], files.path(`part${part}.${ending}`));
      expect(await values(files.path(`part*.${ending}`))).toEqual([1, 10, 2, 10, 3, 10]);
    },
  );

  it("may match more files than a function can have arguments", async () => {
    const matches = Array.from({ length: 200_000 }, (_, i) => [`${i}.png`]);
    vi.spyOn(Database.prototype, "run").mockResolvedValueOnce(matches);
    expect(await expandPatterns([files.path("*.png")], undefined)).toHaveLength(matches.length);
    vi.restoreAllMocks();
  });

  it("detects types that fit all files", async () => {
    files.write("types1.csv", "a\n1\n");
    files.write("types2.csv", "a\n2.5\n");
    expect(await values(files.path("types?.csv"))).toEqual([1, 2.5]);
  });

  it("throws an error for files with other columns or formats, and has the name of a malformed file", async () => {
    files.write("other1.csv", "a,b\n1,2\n");
    files.write("other2.csv", "b,a\n1,2\n");
    expect(await files.failure(openTable(files.path("other*.csv")))).toMatchInlineSnapshot(`
      "DATA other2.csv has different columns from other1.csv: expected "a", "b", received "b", "a".
      Give files with the same columns. Those of CSV and TSV files must be in the same order."
    `);
    files.write("kind1.csv", "a,b\n1,2\n");
    files.write("kind2.csv", "a;b\n1;2\n");
    expect(await files.failure(openTable(files.path("kind*.csv")))).toMatchInlineSnapshot(`
      "DATA kind2.csv has a different CSV dialect from kind1.csv: expected the same delimiter, header and number of lines before the header.
      Write all files in the same way."
    `);
    await writeRows(["a", "b"], [chunk([1, 2])], files.path("kind3.parquet"));
    expect(await files.failure(openTable(files.path("kind[13]*")))).toMatchInlineSnapshot(`
      "DATA kind3.parquet has a different format from kind1.csv: expected csv, received parquet.
      Give files of one format."
    `);
    await writeRows(["a", "c"], [chunk([1, 2])], files.path("kind4.parquet"));
    expect(await files.failure(openTable(files.path("kind*.parquet")))).toMatchInlineSnapshot(`
      "DATA kind4.parquet has different columns from kind3.parquet: expected "a", "b", received "a", "c".
      Give files with the same columns. Those of CSV and TSV files must be in the same order."
    `);
    files.write("keys1.json", '[{"a": 1}]');
    files.write("keys2.json", '[{"b": 1}]');
    expect(await files.failure(openTable(files.path("keys*.json")))).toMatchInlineSnapshot(`
      "DATA keys2.json has different columns from keys1.json: expected "a", received "b".
      Give files with the same columns. Those of CSV and TSV files must be in the same order."
    `);
    files.write("text1.csv", "a,b\n1,2\n,3\n");
    files.write("text2.csv", "a,b\nlow,2\n");
    expect(await files.failure(openTable(files.path("text*.csv")))).toMatchInlineSnapshot(`
      "DATA Column "a" has numbers in text1.csv and text in text2.csv: received '1' and 'low'.
      Correct one of the files, or rename or convert the column in a query."
    `);
    files.write("text3.json", '[{"a": 1}, {"a": 2.5}]');
    files.write("text4.json", '[{"a": "low"}]');
    expect(await files.failure(openTable(files.path("text*.json")))).toMatchInlineSnapshot(`
      "DATA Column "a" has numbers in text3.json and text in text4.json: received '1.0' and 'low'.
      Correct one of the files, or rename or convert the column in a query."
    `);
    // Codes are text in both files, although those of one file look like numbers.
    files.write("codes1.csv", "a\n00501\n");
    files.write("codes2.csv", "a\n10001\n");
    expect((await openTable(files.path("codes*.csv"))).columns).toMatchObject([{ type: "VARCHAR" }]);
    files.write("line1.csv", "a,b\n1,2\n");
    files.write("line2.csv", "a,b\n1,2\n3\n");
    expect(await files.failure(openTable(files.path("line*.csv")))).toMatchInlineSnapshot(`
      "DATA line2.csv is malformed in line 3: expected 2 fields as in the first line, received 1 (3).
      Correct or remove the line. If the file begins with a title or comments, remove those lines."
    `);
  });
});

describe("a list", () => {
  it("reads its files and patterns in their order as one table", async () => {
    for (const part of [1, 2, 3]) await writeRows(["a"], [chunk([part])], files.path(`list${part}.csv`));
    const [one, two, three] = [1, 2, 3].map((part) => files.path(`list${part}.csv`));
    expect(await values([three!, one!])).toEqual([3, 1]);
    expect(await values([three!, files.path("list[12].csv")])).toEqual([3, 1, 2]);
    const table = await openTable([one!, two!]);
    const query = await openTable(`FROM ${table.inQuery(["header = true"])}`);
    expect([table.source, query.rows]).toEqual([`${one} (and 1 more)`, 2]);
    await query.close();
    await table.close();
  });

  it("is an error if it is empty, has a file twice, or has a query and other sources", async () => {
    const one = files.write("once.csv", "a\n1\n");
    expect(await files.failure(openTable([]))).toMatchInlineSnapshot(
      `"ARGUMENT A table cannot be read from this list: expected one query, or one or more files, received an empty list."`,
    );
    expect(await files.failure(openTable([one, "FROM range(3)"]))).toMatchInlineSnapshot(`
      "ARGUMENT A table cannot be read from this list: expected one query, or one or more files, received a query among 2 sources.
      Name all files in the query: FROM read_csv(['a.csv', 'b.csv'])"
    `);
    expect(await files.failure(openTable([one, files.path("onc?.csv")]))).toMatchInlineSnapshot(`
      "ARGUMENT once.csv is listed twice.
      List each file once. A pattern lists all files that match it."
    `);
  });
});

it("expands ~", () => {
  expect(expandHome("~/x.csv")).toBe(join(homedir(), "x.csv"));
  expect(expandHome("~x.csv")).toBe("~x.csv");
});

it("reads a pipe, whose content can be read only once", async () => {
  const pipe = files.path("pipe");
  execFileSync("mkfifo", [pipe]);
  for (const content of ["a,b\n1,2\n3,4\n", '[{"a": 1, "b": 2}, {"a": 3, "b": 4}]']) {
    const reading = values(pipe);
    createWriteStream(pipe).end(content);
    expect(await reading).toEqual([1, 2, 3, 4]);
  }
});

it("throws an error for devices without reading them, also through a link", async () => {
  symlinkSync("/dev/zero", files.path("zero.csv"));
  expect(await files.failure(openTable(files.path("zero.csv")))).toMatchInlineSnapshot(`
    "FILE zero.csv is a device: expected a file or a pipe.
    Give a file, or a pipe to read from."
  `);
  expect(await files.failure(openTable("/dev/null"))).toMatchInlineSnapshot(`
    "FILE /dev/null is a device: expected a file or a pipe.
    Give a file, or a pipe to read from."
  `);
});

it("has the name of a pipe in the errors of DuckDB, not that of its temporary copy", async () => {
  const pipe = files.path("bad-pipe");
  execFileSync("mkfifo", [pipe]);
  const reading = files.failure(openTable(pipe));
  createWriteStream(pipe).end("a,b\n1,2\n3\n");
  expect(await reading).toContain(`${basename(pipe)} is malformed in line 3`);
});
