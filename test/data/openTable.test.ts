import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, inject, it } from "vitest";
import { openTable, readRows, writeRows } from "../../src/tables/io/index.ts";
import { chunk, temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** The names and types of the columns, and the values of all of them if they are numeric. */
async function contents(source: string) {
  const table = await openTable(source);
  try {
    const { values, rows } = await readRows(table, await table.numericColumns());
    const columns = table.columns.map(({ name, type }) => `${name} ${type}`).join(", ");
    return { columns, rows: table.rows, values: [...values], missing: table.rows - rows };
  } finally {
    await table.close();
  }
}

const open = (name: string, content: string | Uint8Array) => openTable(files.write(name, content));
const failure = (name: string, content: string | Uint8Array) => files.failure(open(name, content));

it("does not load DuckDB before a table is opened", () => {
  const script = `import { openTable } from ${JSON.stringify(join(inject("compiledPackage"), "dist/public/data.js"))};
    import { createRequire } from "node:module";
    console.log(typeof openTable, process.report.getReport().sharedObjects.some((o) => /duckdb/.test(o)));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script]);
  expect(String(output).trim()).toBe("function false");
});

describe("formats", () => {
  const two = { columns: "a BIGINT, b DOUBLE", rows: 2, values: [1, 2.5, 3, -4e-3], missing: 0 };
  const texts: Record<string, string> = {
    "t.csv": "a,b\n1,2.5\n3,-4e-3\n",
    "semicolon.csv": "a;b\n1;2.5\n3;-4e-3",
    "bar.txt": "a|b\r\n1|2.5\r\n3|-4e-3\r\n",
    "t.tsv": "a\tb\n1\t2.5\n3\t-4e-3\n",
    "t.json": '[{"a": 1, "b": 2.5},\n {"a": 3, "b": -4e-3}]',
    "concatenated.json": '{"a": 1, "b": 2.5}\n{"a": 3, "b": -4e-3}',
    "t.jsonl": '{"a": 1, "b": 2.5}\n{"a": 3, "b": -4e-3}\n',
    "t.ndjson": '{"a": 1, "b": 2.5}\n{"a": 3, "b": -4e-3}\n',
    "no-extension": "a,b\n1,2.5\n3,-4e-3\n",
    "no-extension-json": '[{"a": 1, "b": 2.5}, {"a": 3, "b": -4e-3}]',
    "bom.csv": "\uFEFFa,b\n1,2.5\n3,-4e-3\n",
    "spaces.csv": "\n\na, b\n1,2.5\n3,-4e-3\n",
  };
  it.each(Object.entries(texts))("reads %s, also gzipped", async (name, text) => {
    expect(await contents(files.write(name, text))).toEqual(two);
    expect(await contents(files.write(`${name}.gz`, gzipSync(text)))).toEqual(two);
  });

  it("reads a gzip file of several members", async () => {
    const parts = ["a,b\n1,2.5\n", "3,-4e-3\n"].map((text) => gzipSync(text));
    expect(await contents(files.write("members.csv.gz", Buffer.concat(parts)))).toEqual(two);
  });

  it("reads Parquet, with any ending", async () => {
    await writeRows(["a", "b"], [chunk([1, 2.5], [3, -4e-3])], files.path("t.parquet"));
    expect(await contents(files.path("t.parquet"))).toEqual({ ...two, columns: "a DOUBLE, b DOUBLE" });
  });

  it("reads DuckDB queries", async () => {
    const path = files.write("q.csv", "a,b\n1,2.5\n3,-4e-3\n");
    expect(await contents(`FROM '${path}'`)).toEqual(two);
    expect(await contents(`\n select a, b from '${path}' -- as it is`)).toEqual(two);
    expect(await contents(`FROM 'file://${path}'`)).toEqual(two);
    expect(await contents(`WITH t AS (FROM '${path}') SELECT * FROM t;`)).toEqual(two);
  });

  it("reads queries that end with a semicolon and comments", async () => {
    const endings = ["; -- it's all", "-- all\n;", "; /* of\n them */ -- ;\n"];
    const texts = [`'; -- '`, `'it''s; /* '`, `e'\\'; -- '`, `$$it's; -- $$`, `$t$ $$; -- $t$`];
    for (const [i, text] of texts.entries()) {
      const table = await openTable(`SELECT ${text} AS "; --" ${endings[i % endings.length]}`);
      expect(await table.database.run(`FROM ${table.relation.sql}`)).toEqual(
        await table.database.run(`SELECT ${text}`),
      );
      await table.close();
    }
  });

  it("does not change the order of the rows of a query", async () => {
    const table = await openTable("SELECT random() AS x FROM range(10000)");
    const first = await readRows(table, ["x"]);
    expect(await readRows(table, ["x"])).toEqual(first);
    await table.close();
  });

  it("reads a first line of numbers as a row", async () => {
    expect(await contents(files.write("headerless.csv", "1,2.5\n3,-4e-3\n"))).toEqual({
      ...two,
      columns: "column0 BIGINT, column1 DOUBLE",
    });
  });

  it("detects types that fit all rows, not only the first ones", async () => {
    const text = `a,b\n${"1,2\n".repeat(50_000)}1.5,x\n`;
    const table = await open("late.csv", text);
    expect(table.columns).toEqual([
      { name: "a", type: "DOUBLE" },
      { name: "b", type: "VARCHAR" },
    ]);
    await table.close();
  });

  it.each([
    "a b",
    'say "x"',
    "it's",
    "naïve 密度 🌊",
    'x"); DROP TABLE t; --',
    "a,b",
    "line\nbreak",
    "select",
  ])("takes the column name %j as it is, from a path with quotes too", async (name) => {
    const path = files.path("it's; DROP TABLE x [1]*.csv");
    await writeRows([name, "b"], [chunk([1, 2], [3, 4])], path);
    const table = await openTable(path);
    expect(await table.numericColumns([name])).toEqual([name]);
    expect([...(await readRows(table, [name])).values]).toEqual([1, 3]);
    await table.close();
  });
});

it("opens a table with many columns in limited memory", async () => {
  const row = `${Array.from({ length: 1000 }, (_, i) => i).join(",")}\n`;
  const path = files.write("wide.csv", `x${row.replaceAll(",", ",x")}${row.repeat(3000)}`);
  const before = process.memoryUsage.rss();
  const table = await openTable(path);
  expect(table.columns).toHaveLength(1000);
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(800);
  await table.close();
});

describe("there is an error for", () => {
  it("a missing file", async () => {
    files.write("houses.csv", "a\n1\n");
    expect(await files.failure(openTable(files.path("house.csv")))).toMatchInlineSnapshot(`
      "FILE There is no file house.csv.
      Did you mean houses.csv?"
    `);
    expect(await files.failure(openTable(files.path("nothing*.csv")))).toMatchInlineSnapshot(`
      "FILE No file matches nothing*.csv.
      Check the pattern."
    `);
    expect(await files.failure(openTable(""))).toMatchInlineSnapshot(`
      "FILE There is no file "".
      Check the path."
    `);
  });

  it("a directory", async () => {
    mkdirSync(files.path("parts"));
    files.write("parts/a b.csv.gz", "");
    expect(await files.failure(openTable(files.path("parts/")))).toMatchInlineSnapshot(`
      "FILE parts/ is a directory: expected a file.
      To read all its files as one table: 'parts/*.csv.gz'"
    `);
  });

  it("an empty file", async () => {
    expect(await failure("empty.csv", "")).toMatchInlineSnapshot(
      `"DATA empty.csv is empty: expected a table."`,
    );
    expect(await failure("empty.csv.gz", gzipSync("\n"))).toMatchInlineSnapshot(
      `"DATA empty.csv.gz is empty: expected a table."`,
    );
    expect(await failure("empty.json", "[]")).toMatchInlineSnapshot(
      `"DATA empty.json does not contain rows: expected one object per row: {"a": 1, "b": 2}."`,
    );
    expect(await failure("empty.parquet", "")).toMatchInlineSnapshot(
      `"DATA empty.parquet is empty: expected a table."`,
    );
  });

  it("binary data", async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919 + i * i * 13) % 256);
    expect(await failure("binary.csv", bytes)).toMatchInlineSnapshot(`
      "FILE binary.csv cannot be read as csv: expected the content of a csv file, received binary data.
      Export the table again, to a file with the extension of its format."
    `);
    const sqlite = Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.from(bytes)]);
    expect(await failure("app.db", sqlite)).toMatchInlineSnapshot(`
      "FILE app.db cannot be read as a table: expected a file in one of the formats .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet, received a database of SQLite.
      Export one of its tables: sqlite3 -header -csv app.db "SELECT * FROM mytable" > mytable.csv"
    `);
    const duckdb = Buffer.concat([
      Buffer.from(bytes.subarray(0, 8)),
      Buffer.from("DUCK"),
      Buffer.from(bytes),
    ]);
    expect(await failure("app.duckdb", duckdb)).toContain(
      `received a database of DuckDB.\nExport one of its tables: duckdb app.duckdb "COPY mytable TO 'mytable.parquet'"`,
    );
    expect(await failure("sheet.xlsx", bytes)).toMatchInlineSnapshot(`
      "FILE sheet.xlsx is a spreadsheet, which cannot be read: expected a file in one of the formats .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
      Save the sheet as CSV in the spreadsheet program, or convert the file: libreoffice --convert-to csv FILE"
    `);
    expect(await failure("text.parquet", "a,b\n1,2\n")).toMatchInlineSnapshot(`
      "FILE text.parquet cannot be read as parquet: expected the content of a parquet file, received text.
      Export the table again, to a file with the extension of its format."
    `);
    expect(await failure("cut.parquet", "PAR1 and no more")).toMatchInlineSnapshot(
      `"DATA DuckDB cannot read cut.parquet (No magic bytes found at end of file 'cut.parquet')."`,
    );
  });

  it("another encoding", async () => {
    expect(await failure("latin1.csv", Buffer.from("a,b\n1,2\n3,é\n", "latin1"))).toMatchInlineSnapshot(`
      "DATA latin1.csv is not UTF-8 text in line 3.
      Convert the file: iconv -f latin1 -t utf-8 old.csv > new.csv"
    `);
    expect(await failure("utf16.csv", Buffer.from("\uFEFFa,b\n1,2\n", "utf16le"))).toMatchInlineSnapshot(`
      "FILE utf16.csv cannot be read as csv: expected the content of a csv file, received UTF-16 text.
      Convert it: iconv -f utf-16 -t utf-8 utf16.csv > utf8.csv"
    `);
  });

  it("a damaged gzip file, also if it ends with a complete line", async () => {
    const whole = gzipSync(`a,b\n${"1,2\n".repeat(100_000)}`, { level: 0 });
    expect(await failure("cut.csv.gz", whole.subarray(0, -100))).toMatchInlineSnapshot(`
      "FILE cut.csv.gz is a damaged gzip file (unexpected end of file).
      Copy or compress it again."
    `);
    expect(await failure("not.csv.gz", "a,b\n1,2\n")).toMatchInlineSnapshot(`
      "FILE not.csv.gz is not a gzip file, although its name ends with .gz.
      Compress it again, or remove .gz from its name."
    `);
  });

  it("malformed lines", async () => {
    expect(await failure("wide.csv", "a,b\n1,2\n3,4,5\n6,7\n")).toMatchInlineSnapshot(`
      "DATA wide.csv is malformed in line 3: expected 2 fields as in the first line, received 3 (3,4,5).
      Correct or remove the line. If the file begins with a title or comments, remove those lines."
    `);
    expect(await failure("narrow.csv", `a,b\n${"1,2\n".repeat(300_000)}3\n`)).toMatchInlineSnapshot(`
      "DATA narrow.csv is malformed in line 300002: expected 2 fields as in the first line, received 1 (3).
      Correct or remove the line. If the file begins with a title or comments, remove those lines."
    `);
    expect(await failure("comment.csv", "# my data\na,b\n1,2\n")).toMatchInlineSnapshot(`
      "DATA comment.csv is malformed in line 2: expected 1 field as in the first line, received 2 (a,b).
      Correct or remove the line. If the file begins with a title or comments, remove those lines."
    `);
    expect(await failure("quote.csv", 'a,b\n"1,2\n3,4\n')).toMatchInlineSnapshot(`
      "DATA quote.csv is malformed in line 2: expected a closing quote, received "1,2.
      Close the quote, or double it if it is part of the text."
    `);
    expect(await failure("endings.csv", "a,b\r\n1,2\n3,4\r\n")).toMatchInlineSnapshot(`
      "DATA endings.csv mixes line endings, or has text after a closing quote: expected the same line ending in every line.
      Write the file again with one line ending: tr -d '\\r' < old.csv > new.csv"
    `);
    expect(await failure("name.csv", '"a\nb",c\r\n1,2\r\n')).toMatchInlineSnapshot(`
      "DATA name.csv mixes line endings in its first line: expected the same line ending in every line, received \\n in the name of column 1, and \\r\\n at the end of lines.
      Remove the line break from the name."
    `);
    expect(await failure("bad.jsonl", '{"a": 1}\n{"a": \n')).toMatchInlineSnapshot(`
      "DATA bad.jsonl is malformed in line 2 (unexpected end of data).
      Correct or remove it."
    `);
    expect(await failure("cut.json", '[{"a": 1}, {"a":')).toMatchInlineSnapshot(`
      "DATA cut.json is malformed in record 2 (unexpected end of data).
      Correct or remove it."
    `);
    expect(await failure("numbers.json", "[1, 2]")).toMatchInlineSnapshot(
      `"DATA numbers.json does not contain rows: expected one object per row: {"a": 1, "b": 2}."`,
    );
  });

  it("duplicate column names, which DuckDB would rename", async () => {
    expect(await failure("twice.csv", "a,b,a\n1,2,3\n")).toMatchInlineSnapshot(`
      "DATA Two columns of twice.csv have the same name: expected names that differ in more than upper and lower case, received "a" in columns 1 and 3.
      Rename one of them in the first line of the file."
    `);
    expect(await failure("case.tsv", "x\tX\n1\t2\n")).toMatchInlineSnapshot(`
      "DATA Two columns of case.tsv have the same name: expected names that differ in more than upper and lower case, received "x" and "X" in columns 1 and 2.
      Rename one of them in the first line of the file."
    `);
    expect(await files.failure(openTable("SELECT 1 AS a, 2 AS a"))).toMatchInlineSnapshot(`
      "DATA Two columns of the query have the same name: expected names that differ in more than upper and lower case, received "a" in columns 1 and 2.
      Rename one of them: SELECT ... AS other_name"
    `);
  });

  it("a query that fails, and a statement that is not a query", async () => {
    expect(await files.failure(openTable("SELECT * FRM t"))).toMatchInlineSnapshot(
      `"DATA DuckDB cannot read the query (syntax error at or near "t")."`,
    );
    expect(await files.failure(openTable("FROM 'nowhere.csv'"))).toMatchInlineSnapshot(
      `"DATA DuckDB cannot read the query (No files found that match the pattern "nowhere.csv")."`,
    );
    expect(await files.failure(openTable("SELECT 1; DROP TABLE t"))).toMatchInlineSnapshot(
      `"DATA DuckDB cannot read the query (Cannot prepare multiple statements at once)."`,
    );
    expect(await files.failure(openTable("SELECT CAST('x' AS INTEGER)"))).toMatchInlineSnapshot(
      `"DATA DuckDB cannot read the query (Could not convert string 'x' to INT32)."`,
    );
    expect(
      await files.failure(openTable("SELECT list(i) AS x FROM range(50000000) t(i)")),
    ).toMatchInlineSnapshot(`
      "DATA DuckDB does not have enough memory for the query.
      Select fewer columns in a query, or convert the table to a Parquet file first."
    `);
  });
});
