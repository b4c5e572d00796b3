import { expect, it } from "vitest";
import { checkForFitting, openTable, readMatrix, scanMatrix } from "../../src/data/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const GAPS = "a,b,c\n1,2,x\n,3,y\n4,nan,z\n5,6,\n";

it("leaves out and counts the rows with a missing value in the chosen columns", async () => {
  const table = await openTable(files.write("gaps.csv", GAPS));
  expect(await readMatrix(table, ["b", "a"])).toEqual({
    columns: ["b", "a"],
    rows: 2,
    values: Float64Array.of(2, 1, 6, 5),
    missing: 2,
  });
  expect(await readMatrix(table, ["a"])).toMatchObject({ rows: 3, missing: 1 });
  await table.close();
});

it("streams all rows in chunks and marks those that are complete", async () => {
  const table = await openTable(files.write("gaps.csv", GAPS));
  const chunks = [];
  for await (const chunk of scanMatrix(table, ["a", "b"], { chunkRows: 3 })) chunks.push(chunk);
  expect(chunks).toEqual([
    { rows: 3, values: Float64Array.of(1, 2, 0, 0, 0, 0), present: Uint8Array.of(1, 0, 0) },
    { rows: 1, values: Float64Array.of(5, 6), present: Uint8Array.of(1) },
  ]);
  await table.close();
});

it("lets scans run at the same time, and end early", async () => {
  const table = await openTable("SELECT range AS i FROM range(300000)");
  const one = scanMatrix(table, ["i"], { chunkRows: 1000 });
  const other = scanMatrix(table, ["i"], { chunkRows: 1000 });
  for (let k = 0; k < 10; k++) {
    expect((await one.next()).value!.values[0]).toBe(1000 * k);
    expect((await other.next()).value!.values[999]).toBe(1000 * k + 999);
  }
  await one.return(undefined);
  expect((await readMatrix(table, ["i"])).rows).toBe(300_000);
  await table.close();
});

it("reads large integers and decimals to the nearest float64", async () => {
  const table = await openTable(
    "SELECT 9007199254740993::HUGEINT AS h, 0.1::DECIMAL(38, 20) AS d, 1e30::FLOAT AS f",
  );
  const { values } = await readMatrix(table, ["h", "d", "f"]);
  expect([...values]).toEqual([2 ** 53, 0.1, Math.fround(1e30)]);
  await table.close();
});

it("refuses infinite values", async () => {
  const table = await openTable(files.write("infinite.csv", `a,b\n${"1,2\n".repeat(20_000)}3,-inf\n`));
  expect(await files.failure(readMatrix(table, ["a", "b"]))).toMatchInlineSnapshot(`
    "DATA The column "b" of infinite.csv is infinite in row 20001: expected finite numbers, received -Infinity.
    Correct the value, or leave it empty to have it counted as missing."
  `);
  expect((await readMatrix(table, ["a"])).rows).toBe(20_001);
  await table.close();
});

it("refuses to fit too few rows", () => {
  const check = (rows: number, missing = 0) =>
    files.failure(() => checkForFitting({ rows, missing }, "t.csv"));
  return Promise.all([
    expect(check(0)).resolves.toMatchInlineSnapshot(`
      "DATA t.csv has too few rows to fit: expected at least 2 complete rows, received 0.
      Give a table with more rows."
    `),
    expect(check(1, 7)).resolves.toMatchInlineSnapshot(`
      "DATA t.csv has too few rows to fit: expected at least 2 complete rows, received 1 (7 more have a missing value).
      Fill in missing values, or choose columns without any: --columns a,b"
    `),
    expect(check(2)).resolves.toBe("no failure"),
  ]);
});
