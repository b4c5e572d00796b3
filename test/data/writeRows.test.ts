import { readFileSync } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openTable, readRows, writeRows } from "../../src/tables/io/index.ts";
import { chunk, temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
/** The others have the format of one of these. */
const FORMATS = ["csv", "csv.gz", "tsv", "json", "jsonl", "parquet"];
const ENDINGS = [
  "csv",
  "tsv",
  "json",
  "jsonl",
  "ndjson",
  "csv.gz",
  "tsv.gz",
  "json.gz",
  "jsonl.gz",
  "parquet",
];

describe.each(ENDINGS)("as .%s", (ending) => {
  const path = files.path(`rows.${ending}`);

  async function throughFile(columns: string[], chunks: Float64Array[]) {
    await writeRows(columns, chunks, path);
    const table = await openTable(path);
    try {
      expect(table.columns.map(({ name }) => name)).toEqual(columns);
      return await readRows(table, await table.numericColumns());
    } finally {
      await table.close();
    }
  }

  it("writes numbers without loss", async () => {
    const extremes = [
      0.1,
      1 / 3,
      5e-324,
      1.7976931348623157e308,
      -0,
      1e21,
      1e-7,
      123456789012345680,
      2 ** 53 + 2,
      0.5,
    ];
    expect((await throughFile(["x"], [Float64Array.from(extremes)])).values).toEqual(
      Float64Array.from(extremes),
    );

    if (!FORMATS.includes(ending)) return;
    const finite = fc.float64Array({ noNaN: true, noDefaultInfinity: true, minLength: 100, maxLength: 100 });
    for (const values of fc.sample(finite, { numRuns: 5, seed: 1 })) {
      const fractional = values.map((value, i) => (i === 0 ? 0.5 : value));
      expect((await throughFile(["x", "y"], [fractional])).values).toEqual(fractional);
    }
  });

  it("keeps the order of rows for chunks of any size", async () => {
    const rows = Float64Array.from({ length: 2 * 10_000 }, (_, i) => i + 0.5);
    const chunks = [rows.subarray(0, 2), rows.subarray(2, 2), rows.subarray(2, 9002), rows.subarray(9002)];
    expect((await throughFile(['a "b", c', "é"], chunks)).values).toEqual(rows);
    expect((await throughFile(["c1", "c0"], chunks)).values).toEqual(rows);
  });

  it("writes NaN as a missing value", async () => {
    const matrix = await throughFile(["x", "y"], [chunk([1.5, 2], [Number.NaN, 3], [4, 5])]);
    expect(matrix).toMatchObject({ rows: 2, values: chunk([1.5, 2], [4, 5]) });
  });
});

it("writes a missing value of a table with one column in quotes, because readers skip empty lines", async () => {
  await writeRows(["x"], [chunk([1], [Number.NaN], [2])], files.path("one.csv"));
  expect(readFileSync(files.path("one.csv"), "utf8")).toBe('x\n1\n""\n2\n');
});

it("writes the same bytes to a stream as to a CSV file", async () => {
  const rows = [chunk([1, -0.25], [1e-7, 1e21]), chunk([Infinity, Number.NaN])];
  const stream = new PassThrough();
  await writeRows(["a", 'b "c"'], rows, stream);
  stream.end();
  const streamed = await text(stream);
  await writeRows(["a", 'b "c"'], rows, files.path("same.csv"));
  await writeRows(["a", 'b "c"'], rows, files.path("same.csv.gz"));
  expect(streamed).toMatchInlineSnapshot(`
    "a,"b ""c"""
    1,-0.25
    1e-7,1e+21
    Infinity,
    "
  `);
  expect(readFileSync(files.path("same.csv"), "utf8")).toBe(streamed);
  expect(String(gunzipSync(readFileSync(files.path("same.csv.gz"))))).toBe(streamed);
});

it("writes JSON that JSON.parse accepts, with infinite values as strings", async () => {
  await writeRows(["a", "b"], [chunk([1.5, -Infinity], [Number.NaN, 2])], files.path("valid.json"));
  expect(JSON.parse(readFileSync(files.path("valid.json"), "utf8"))).toEqual([
    { a: 1.5, b: "-Infinity" },
    { a: null, b: 2 },
  ]);
});

it("ends without an error when a pipe is closed", async () => {
  const closed = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  });
  await writeRows(["a"], [chunk([1]), chunk([2])], closed);
});

it.each(ENDINGS)("does not change the old file if the rows throw, as .%s", async (ending) => {
  const name = `old.${ending}`;
  files.write(name, "old");
  const before = files.list();
  async function* rows() {
    yield chunk([1], [2]);
    throw new Error("out of samples");
  }
  await expect(writeRows(["a"], rows(), files.path(name))).rejects.toThrow("out of samples");
  expect(readFileSync(files.path(name), "utf8")).toBe("old");
  expect(files.list()).toEqual(before);
});

it("throws an error for an ending without a format, and for a directory that does not exist", async () => {
  expect(await files.failure(writeRows(["a"], [], "out.xlsx"))).toMatchInlineSnapshot(`
    "ARGUMENT No table format belongs to the name out.xlsx: expected a name that ends in .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
    Use a name with one of these extensions."
  `);
  expect(await files.failure(writeRows(["a"], [], files.path("none/out.parquet")))).toMatchInlineSnapshot(`
    "FILE Cannot write none/out.parquet: there is no directory none.
    Create it first: mkdir -p none"
  `);
});
