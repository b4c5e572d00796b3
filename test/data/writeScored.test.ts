import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, inject, it } from "vitest";
import { openTable, type Table, writeScored } from "../../src/tables/io/index.ts";
import { writeAnomalies } from "../../src/tables/io/tableAnomalies.ts";
import { scanRows } from "../../src/tables/io/tableRows.ts";
import { compiled } from "../compiledPackage.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const CODES = 'code,x,day,note\n007,1.50,2020-01-01,"a, ""b"""\n010,,2021-12-31,\n8, 1e400,x,é\n';

/** Opens, scores and writes a table; gives the text of the output. */
async function scored(
  source: string,
  scores: number[],
  output: string,
  numeric: readonly string[] = [],
): Promise<string> {
  const table = await openTable(source);
  try {
    await writeScored(table, [Float64Array.from(scores)], files.path(output), { numeric });
    return readFileSync(files.path(output), "utf8");
  } finally {
    await table.close();
  }
}

/** The rows of a file as DuckDB reads them. */
async function rowsOf(name: string, read = `'${files.path(name)}'`): Promise<unknown[][]> {
  const table = await openTable(`FROM ${read}`);
  try {
    return [table.columns.map(({ type }) => type), ...(await table.database.run("FROM source"))];
  } finally {
    await table.close();
  }
}

const SCORES = [-1.25, Number.NaN, -Infinity];

it("writes the values of a text file as unchanged text", async () => {
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

it("writes text as text to JSON and Parquet, except for the scored columns, which become numbers", async () => {
  const path = files.write("typed.csv", "id,n,x,name\n007,1,1.5,a\n2,2,,b\n3,3,-inf,c\n");
  expect(await scored(path, SCORES, "scored.jsonl", ["n", "x"])).toMatchInlineSnapshot(`
    "{"id":"007","n":1,"x":1.5,"name":"a","log_density":-1.25}
    {"id":"2","n":2,"x":null,"name":"b","log_density":null}
    {"id":"3","n":3,"x":"-Infinity","name":"c","log_density":"-Infinity"}
    "
  `);
  expect(JSON.parse(await scored(path, SCORES, "scored.json"))).toHaveLength(3);
  await scored(path, SCORES, "scored.parquet", ["n", "x", "name"]);
  expect(await rowsOf("scored.parquet")).toEqual([
    ["VARCHAR", "BIGINT", "DOUBLE", "VARCHAR", "DOUBLE"],
    ["007", "1", 1.5, "a", -1.25],
    ["2", "2", null, "b", null],
    ["3", "3", "-Infinity", "c", "-Infinity"],
  ]);
});

it("writes dates and times of a CSV file to JSON and Parquet as the model reads them", async () => {
  const rows = [
    "2024-01-11T12:00:00+02:00,13.3.2023,2/28/2023 9:30,True",
    "2024-01-11T12:00:00Z,1.3.2023,2/1/2023 10:00, false ",
    "2024-01-11 12:00:00,,,",
  ];
  const path = files.write("times.csv", ["zoned,day,time,b", ...rows, ""].join("\n"));
  const learned = ["zoned", "day", "time", "b"];
  expect(await scored(path, [1, 2, 3], "times.jsonl", learned)).toMatchInlineSnapshot(`
    "{"zoned":"2024-01-11 10:00:00","day":"2023-03-13","time":"2023-02-28 09:30:00","b":true,"log_density":1.0}
    {"zoned":"2024-01-11 12:00:00","day":"2023-03-01","time":"2023-02-01 10:00:00","b":false,"log_density":2.0}
    {"zoned":"2024-01-11 12:00:00","day":null,"time":null,"b":null,"log_density":3.0}
    "
  `);
  await scored(path, [1, 2, 3], "times.parquet", learned);
  expect(await rowsOf("times.parquet")).toEqual([
    ["TIMESTAMP", "DATE", "TIMESTAMP", "BOOLEAN", "DOUBLE"],
    ["2024-01-11 10:00:00", "2023-03-13", "2023-02-28 09:30:00", true, 1],
    ["2024-01-11 12:00:00", "2023-03-01", "2023-02-01 10:00:00", false, 2],
    ["2024-01-11 12:00:00", null, null, null, 3],
  ]);
  expect(await scored(path, [1, 2, 3], "times.csv", learned)).toContain(rows[0]);
});

it("keeps all digits of integers in the scored columns", async () => {
  const columns = {
    zip: ["00123", "01234"],
    long: ["12345678901234567890", "12345678901234567891"],
    wider: ["1".repeat(40), "2.5"],
    bigint: ["9007199254740993", "1"],
    power: ["100000000000000000000", "0.5"],
    float: ["0.10", "-0.5e3"],
    decimal: ["1234567890123456.5", "0"],
  };
  const names = Object.keys(columns);
  const lines = [0, 1].map((row) => Object.values(columns).map((column) => column[row]));
  const path = files.write("digits.csv", [names, ...lines, ""].join("\n"));
  await scored(path, [1, 2], "digits.parquet", names);
  expect(await rowsOf("digits.parquet")).toEqual([
    ["VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"],
    [...lines[0]!.slice(0, 4), 1e20, 0.1, 1234567890123456.5, 1],
    [...lines[1]!.slice(0, 4), 0.5, -500, 0, 2],
  ]);
});

it("writes CSV to a stream, or nothing if scoring fails", async () => {
  const table = await openTable(files.write("streamed.csv", CODES));
  const written = async (scores: Float64Array[]) => {
    const stream = new PassThrough();
    const outcome = await files.failure(writeScored(table, scores, stream));
    stream.end();
    return [outcome, await text(stream)];
  };
  expect(await written([Float64Array.from(SCORES)])).toEqual([
    "no failure",
    await scored(files.path("streamed.csv"), SCORES, "same.csv"),
  ]);
  const [outcome, nothing] = await written([Float64Array.of(1)]);
  expect(outcome).toMatch("ARGUMENT The scores do not match the rows of");
  expect(nothing).toBe("");
  await table.close();
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

it("keeps text of JSON that looks like a date", async () => {
  const row =
    '{"at":"2020-01-02T03:04:05+02:00","day":"2020-01-02","hour":"03:04:05","id":"0C5B5A6E-7E58-4C8B-9E6C-0B9F8E4C1A11","x":1';
  const path = files.write("dates.jsonl", `${row}}\n`);
  expect(await scored(path, [-2], "dates.scored.jsonl")).toBe(`${row},"log_density":-2.0}\n`);
});

it("writes text of JSON without quotes to CSV", async () => {
  const path = files.write("mixed.jsonl", '{"id":"A1","x":1}\n{"id":2,"x":2}\n{"id":"b, c","x":3}\n');
  expect(await scored(path, [-1, -2, -3], "mixed.csv")).toBe(
    'id,x,log_density\nA1,1,-1.0\n2,2,-2.0\n"b, c",3,-3.0\n',
  );
  expect(await scored(path, [-1, -2, -3], "mixed.scored.jsonl")).toContain('{"id":"A1","x":1,');
});

it("does not confuse columns with its own temporary columns", async () => {
  const query = "SELECT 1 AS c0, 2.5 AS scores, 3 AS original";
  expect(await scored(query, [-2], "own.csv")).toBe("c0,scores,original,log_density\n1,2.5,3,-2.0\n");
  expect(await scored(query, [-2], "own.jsonl")).toBe(
    '{"c0":1,"scores":2.5,"original":3,"log_density":-2.0}\n',
  );
});

it("writes the header of a table without rows", async () => {
  expect(await scored(files.write("header.csv", "a,b\n"), [], "none.csv")).toBe("a,b,log_density\n");
});

it("can replace the file that it reads", async () => {
  const path = files.write("self.csv", "a\n1\n2\n");
  expect(await scored(path, [-1, -2], "self.csv")).toBe("a,log_density\n1,-1.0\n2,-2.0\n");
});

it("throws an error for a table that has a column log_density, and for a wrong number of scores", async () => {
  const taken = files.write("taken.csv", "a,Log_Density\n1,2\n");
  expect(await files.failure(scored(taken, [1], "out.csv"))).toMatchInlineSnapshot(`
    "DATA taken.csv already has a column "Log_Density".
    Rename it, or leave it out with a query: "SELECT * EXCLUDE ("Log_Density") FROM ...""
  `);
  expect(await scored(taken, [1], "learned.csv", ["a", "Log_Density"])).toBe(
    "a,Log_Density,log_density_2\n1,2,1.0\n",
  );
  const twice = files.write("twice.csv", "log_density,Log_Density_2\n1,2\n");
  expect(await scored(twice, [1], "learned.csv", ["log_density"])).toMatch("Log_Density_2,log_density_3\n");
  const path = files.write("two.csv", "a\n1\n2\n");
  expect(await files.failure(scored(path, [1], "out.csv"))).toMatchInlineSnapshot(
    `"ARGUMENT The scores do not match the rows of two.csv: expected 2, one per row, received 1."`,
  );
  expect(await files.failure(scored(path, [1, 2, 3], "out.csv"))).toMatchInlineSnapshot(
    `"ARGUMENT The scores do not match the rows of two.csv: expected 2, one per row, received 3."`,
  );
  expect(await files.failure(scored(path, [1, 2], "out.txt"))).toMatchInlineSnapshot(`
    "ARGUMENT No table format belongs to the name out.txt: expected a name that ends in .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
    Use a name with one of these extensions."
  `);
});

it("gives the columns of anomalies other names than those of columns of the model", async () => {
  const table = await openTable(files.write("learned.csv", "p_value,reason\n1,x\n"));
  const anomalies = { scores: Float64Array.of(3), pValues: Float64Array.of(0.5), reasons: new Map() };
  await writeAnomalies(table, anomalies, files.path("anomalies.csv"), ["p_value", "reason"]);
  await table.close();
  expect(readFileSync(files.path("anomalies.csv"), "utf8")).toBe(
    "p_value,reason,anomaly_score,p_value_2,reason_2\n1,x,3.0,0.5,\n",
  );
});

it("does not change the old output if scoring fails", async () => {
  const path = files.write("two.csv", "a\n1\n2\n");
  files.write("kept.csv", "old");
  const before = files.list();
  const table = await openTable(path);
  async function* scores(table: Table) {
    for await (const { complete } of scanRows(table, ["a"], { blockRows: 1 })) {
      if (complete.values[0] === 2) throw new Error("no density");
      yield complete.values;
    }
  }
  await expect(writeScored(table, scores(table), files.path("kept.csv"))).rejects.toThrow("no density");
  await table.close();
  expect(readFileSync(files.path("kept.csv"), "utf8")).toBe("old");
  expect(files.list()).toEqual(before);
});

it("writes nothing if the file changes while its rows are scored", async () => {
  const path = files.write("changing.csv", "name,a\nx,1\ny,2\n");
  files.write("kept.csv", "old");
  const before = files.list();
  const table = await openTable(path);
  async function* scores() {
    yield Float64Array.of(-1);
    // As many rows and bytes as before.
    files.write("changing.csv", "name,a\ny,2\nx,1\n");
    yield Float64Array.of(-2);
  }
  expect(await files.failure(writeScored(table, scores(), files.path("kept.csv")))).toMatchInlineSnapshot(`
    "FILE changing.csv changed while it was read: expected a file that does not change.
    Run the command again when no other program writes to the file, or use a copy."
  `);
  await table.close();
  expect(readFileSync(files.path("kept.csv"), "utf8")).toBe("old");
  expect(files.list()).toEqual(before);
});

it("scores a million rows in their order and in limited memory", async () => {
  const folder = inject("compiledPackage");
  mkdirSync(join(folder, "test/data"), { recursive: true });
  for (const name of ["peakMemory", "data/millionRows"]) {
    const source = readFileSync(join(import.meta.dirname, "..", `${name}.ts`), "utf8");
    const program = await compiled(source.replaceAll("../../src/", "../../dist/"), `${name}.ts`);
    writeFileSync(join(folder, "test", `${name}.js`), program);
  }
  const script = join(folder, "test/data/millionRows.js");
  const output = execFileSync(process.execPath, [script, files.path("million")]);
  const { megabytes, outputs } = JSON.parse(String(output));
  expect(outputs).toEqual({ csv: [1_000_000, 1_000_000, 4000], parquet: [1_000_000, 1_000_000, 4000] });
  expect(megabytes).toBeLessThan(600);
});
