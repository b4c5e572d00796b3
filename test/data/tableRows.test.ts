import { expect, it } from "vitest";
import { openTable, readRows } from "../../src/tables/io/index.ts";
import { checkMinimumRows, scanRows } from "../../src/tables/io/tableRows.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const GAPS = "a,b,c\n1,2,x\n,3,y\n4,nan,z\n5,6,\n";

it("leaves out the rows with a missing value in the chosen columns", async () => {
  const table = await openTable(files.write("gaps.csv", GAPS));
  expect(await readRows(table, ["b", "a"])).toMatchObject({
    columns: ["b", "a"],
    rows: 2,
    values: Float64Array.of(2, 1, 6, 5),
    rowNumbers: Int32Array.of(1, 4),
  });
  expect(await readRows(table, ["a"])).toMatchObject({ rows: 3, rowNumbers: Int32Array.of(1, 3, 4) });
  expect(await readRows(table, ["b"], { given: ["a"] })).toMatchObject({
    rows: 2,
    values: Float64Array.of(2, 6),
    context: Float64Array.of(1, 5),
    contextFeatures: 1,
  });
  await table.close();
});

it("streams the complete rows in blocks, with their numbers", async () => {
  const table = await openTable(files.write("gaps.csv", GAPS));
  const blocks = [];
  for await (const block of scanRows(table, ["a", "b"], { blockRows: 3 })) blocks.push(block);
  expect(blocks).toMatchObject([
    { start: 1, total: 3, complete: { values: Float64Array.of(1, 2), rowNumbers: Int32Array.of(1) } },
    { start: 4, total: 1, complete: { values: Float64Array.of(5, 6), rowNumbers: Int32Array.of(4) } },
  ]);
  await table.close();
});

it("several scans can run at the same time, and can end early", async () => {
  const table = await openTable("SELECT range AS i FROM range(300000)");
  const one = scanRows(table, ["i"], { blockRows: 1000 });
  const other = scanRows(table, ["i"], { blockRows: 1000 });
  for (let k = 0; k < 10; k++) {
    expect((await one.next()).value!.complete.values[0]).toBe(1000 * k);
    expect((await other.next()).value!.complete.values[999]).toBe(1000 * k + 999);
  }
  await one.return(undefined);
  expect((await readRows(table, ["i"])).rows).toBe(300_000);
  await table.close();
});

it("reads large integers and decimals to the nearest float64", async () => {
  const table = await openTable(
    "SELECT 9007199254740993::HUGEINT AS h, 0.1::DECIMAL(38, 20) AS d, 1e30::FLOAT AS f",
  );
  const { values } = await readRows(table, ["h", "d", "f"]);
  expect([...values]).toEqual([2 ** 53, 0.1, Math.fround(1e30)]);
  await table.close();
});

it("throws an error for infinite values", async () => {
  const table = await openTable(files.write("infinite.csv", `a,b\n${"1,2\n".repeat(20_000)}3,-inf\n`));
  expect(await files.failure(readRows(table, ["a", "b"]))).toMatchInlineSnapshot(`
    "DATA The column "b" of infinite.csv is infinite in row 20001: expected finite numbers, received -Infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  expect((await readRows(table, ["a"])).rows).toBe(20_001);
  await table.close();
});

it("throws an error for too few rows to fit", () => {
  const check = (rows: number, missing = 0) =>
    files.failure(() => checkMinimumRows({ rows, missing }, "t.csv"));
  return Promise.all([
    expect(check(0)).resolves.toMatchInlineSnapshot(`
      "DATA t.csv has too few rows to fit: expected at least 2 rows, received 0.
      Give a table with more rows."
    `),
    expect(check(1, 7)).resolves.toMatchInlineSnapshot(`
      "DATA t.csv has too few rows to fit: expected at least 2 complete rows, received 1 (7 more have a missing value).
      Fill in missing values, or choose columns without missing values: --columns a,b"
    `),
    expect(check(2)).resolves.toBe("no failure"),
  ]);
});
