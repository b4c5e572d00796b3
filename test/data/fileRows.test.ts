import { expect, it } from "vitest";
import { openTable, readRows, writeRows } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** How messages call each row of a table. */
async function rowTexts(source: string | string[]): Promise<string[]> {
  const table = await openTable(source);
  try {
    return Array.from({ length: table.rows }, (_, i) => table.rowText(i + 1).replaceAll(files.path("/"), ""));
  } finally {
    await table.close();
  }
}

it.each(["csv", "tsv", "json", "jsonl", "parquet", "csv.gz"])(
  "rows of several files are called by their file: %s",
  async (ending) => {
    const paths = ["b", "a", "[c]"].map((name) => files.path(`${name}.${ending}`));
    for (const [i, path] of paths.entries())
      await writeRows(["x"], [Float64Array.from({ length: i + 1 })], path);
    expect(await rowTexts(paths)).toEqual([
      `row 1 of b.${ending}`,
      ...[1, 2].map((row) => `row ${row} of a.${ending}`),
      ...[1, 2, 3].map((row) => `row ${row} of [c].${ending}`),
    ]);
    expect(await rowTexts(files.path(`[ab].${ending}`))).toEqual([
      ...[1, 2].map((row) => `row ${row} of a.${ending}`),
      `row 1 of b.${ending}`,
    ]);
    expect(await rowTexts(paths[1]!)).toEqual(["row 1", "row 2"]);
  },
);

it.each(["csv", "jsonl", "parquet"])("a column file_index does not hide the files: %s", async (ending) => {
  const paths = ["one", "[two]"].map((name) => files.path(`${name}.${ending}`));
  for (const [i, path] of paths.entries())
    await writeRows(["file_index", "x"], [Float64Array.of(5, 6), Float64Array.of(i, i)], path);
  expect(await rowTexts(paths)).toEqual(
    ["one", "[two]"].flatMap((name) => [1, 2].map((row) => `row ${row} of ${name}.${ending}`)),
  );
});

it("rows are counted over all files if columns hide the index and the name of the file, and in queries", async () => {
  files.write("hidden1.csv", "file_index,filename\n5,1\n");
  files.write("hidden2.csv", "file_index,filename\n6,2\n");
  expect(await rowTexts(files.path("hidden*.csv"))).toEqual(["row 1", "row 2"]);
  expect(await rowTexts(`FROM '${files.path("hidden*.csv")}'`)).toEqual(["row 1", "row 2"]);
});

it("an error names the file of a row", async () => {
  files.write("finite.csv", "x\n1\n2\n");
  files.write("infinite.csv", "x\n1\ninf\n");
  const table = await openTable([files.path("finite.csv"), files.path("infinite.csv")]);
  expect(await files.failure(readRows(table, ["x"]))).toMatchInlineSnapshot(`
    "DATA The column "x" of finite.csv (and 1 more) is infinite in row 2 of infinite.csv: expected finite numbers, received Infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  await table.close();
});
