import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openTable, scanMatrix, type Table, writeScored } from "../../src/data/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const CODES = 'code,x,day,note\n007,1.50,2020-01-01,"a, ""b"""\n010,,2021-12-31,\n8, 1e400,x,é\n';

/** Opens, scores and writes a table; gives the text of the output. */
async function scored(source: string, scores: number[], output: string): Promise<string> {
  const table = await openTable(source);
  try {
    await writeScored(table, [Float64Array.from(scores)], files.path(output));
    return readFileSync(files.path(output), "utf8");
  } finally {
    await table.close();
  }
}

/** The rows of a file as DuckDB reads them. */
async function rowsOf(name: string, read = `'${files.path(name)}'`): Promise<unknown[][]> {
  const table = await openTable(`FROM ${read}`);
  try {
    return [table.columns.map(({ type }) => type), ...(await table.database.rows("FROM source"))];
  } finally {
    await table.close();
  }
}

const SCORES = [-1.25, Number.NaN, -Infinity];

it("keeps the columns of a text file as they were written", async () => {
  const path = files.write("codes.csv", CODES);
  expect(await scored(path, SCORES, "scored.csv")).toMatchInlineSnapshot(`
    "code,x,day,note,log_density
    007,1.50,2020-01-01,"a, ""b""",-1.25
    010,,2021-12-31,,
    8, 1e400,x,é,-Infinity
    "
  `);
  expect(await scored(path, SCORES, "scored.tsv")).toMatchInlineSnapshot(`
    "code	x	day	note	log_density
    007	1.50	2020-01-01	"a, ""b"""	-1.25
    010		2021-12-31		
    8	 1e400	x	é	-Infinity
    "
  `);
});

it("writes JSON and Parquet with types", async () => {
  const path = files.write("typed.csv", "id,x,name\n9007199254740993,1.5,a\n2,,b\n3,-inf,c\n");
  expect(await scored(path, SCORES, "scored.jsonl")).toMatchInlineSnapshot(`
    "{"id":9007199254740993,"x":1.5,"name":"a","log_density":-1.25}
    {"id":2,"x":null,"name":"b","log_density":null}
    {"id":3,"x":"-Infinity","name":"c","log_density":"-Infinity"}
    "
  `);
  expect(JSON.parse(await scored(path, SCORES, "scored.json"))).toHaveLength(3);
  await scored(path, SCORES, "scored.parquet");
  expect(await rowsOf("scored.parquet")).toEqual([
    ["BIGINT", "DOUBLE", "VARCHAR", "DOUBLE"],
    ["9007199254740993", 1.5, "a", -1.25],
    ["2", null, "b", null],
    ["3", "-Infinity", "c", "-Infinity"],
  ]);
});

it("keeps the types of Parquet and of queries", async () => {
  const query =
    "SELECT 1.50::DECIMAL(5, 2) AS d, DATE '2020-01-02' AS day, [1, 2] AS list, 'nan'::FLOAT AS f";
  await scored(query, [-2], "query.parquet");
  const types = ["DECIMAL(5,2)", "DATE", "INTEGER[]", "FLOAT", "DOUBLE"];
  expect(await rowsOf("query.parquet")).toEqual([types, ["1.50", "2020-01-02", [1, 2], "NaN", -2]]);
  expect(await scored(query, [-2], "query.csv")).toMatchInlineSnapshot(`
    "d,day,list,f,log_density
    1.50,2020-01-02,"[1, 2]",NaN,-2.0
    "
  `);
  expect(await scored(query, [-2], "query.json")).toMatchInlineSnapshot(`
    "[
    	{"d":1.5,"day":"2020-01-02","list":[1,2],"f":null,"log_density":-2.0}
    ]
    "
  `);
});

it("keeps columns apart from its own", async () => {
  const query = "SELECT 1 AS c0, 2.5 AS scores, 3 AS original";
  expect(await scored(query, [-2], "own.csv")).toBe("c0,scores,original,log_density\n1,2.5,3,-2.0\n");
  expect(await scored(query, [-2], "own.jsonl")).toBe(
    '{"c0":1,"scores":2.5,"original":3,"log_density":-2.0}\n',
  );
});

it("writes the header of a table without rows", async () => {
  expect(await scored(files.write("header.csv", "a,b\n"), [], "none.csv")).toBe("a,b,log_density\n");
});

it("may replace the file that it reads", async () => {
  const path = files.write("self.csv", "a\n1\n2\n");
  expect(await scored(path, [-1, -2], "self.csv")).toBe("a,log_density\n1,-1.0\n2,-2.0\n");
});

it("refuses a table that has the column, and scores that do not fit it", async () => {
  const taken = files.write("taken.csv", "a,Log_Density\n1,2\n");
  expect(await files.failure(scored(taken, [1], "out.csv"))).toMatchInlineSnapshot(`
    "DATA taken.csv already has a column "Log_Density".
    Rename it, or leave it out with a query: "SELECT * EXCLUDE ("Log_Density") FROM ...""
  `);
  const path = files.write("two.csv", "a\n1\n2\n");
  expect(await files.failure(scored(path, [1], "out.csv"))).toMatchInlineSnapshot(
    `"ARGUMENT The scores do not fit two.csv: expected 2, one per row, received 1."`,
  );
  expect(await files.failure(scored(path, [1, 2, 3], "out.csv"))).toMatchInlineSnapshot(
    `"ARGUMENT The scores do not fit two.csv: expected 2, one per row, received 3."`,
  );
  expect(await files.failure(scored(path, [1, 2], "out.txt"))).toMatchInlineSnapshot(`
    "ARGUMENT The name out.txt does not say how to write the table: expected a name that ends in .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
    Give the output one of these endings."
  `);
});

it("leaves the old output when scoring fails", async () => {
  const path = files.write("two.csv", "a\n1\n2\n");
  files.write("kept.csv", "old");
  const before = files.list();
  const table = await openTable(path);
  async function* scores(table: Table) {
    for await (const { values } of scanMatrix(table, ["a"], { chunkRows: 1 })) {
      if (values[0] === 2) throw new Error("no density");
      yield values;
    }
  }
  await expect(writeScored(table, scores(table), files.path("kept.csv"))).rejects.toThrow("no density");
  await table.close();
  expect(readFileSync(files.path("kept.csv"), "utf8")).toBe("old");
  expect(files.list()).toEqual(before);
});

it("scores a million rows in order and in little memory", async () => {
  const script = join(import.meta.dirname, "millionRows.ts");
  const output = execFileSync(process.execPath, ["--import", "tsx", script, files.path("million")]);
  const { megabytes, outputs } = JSON.parse(String(output));
  expect(outputs).toEqual({ csv: [1_000_000, 1_000_000, 4000], parquet: [1_000_000, 1_000_000, 4000] });
  expect(megabytes).toBeLessThan(600);
});
