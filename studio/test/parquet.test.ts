import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, describe, expect, test } from "vitest";
import { numericColumns, parquetPoints } from "../app/parquet/readParquet.ts";
import { describePage } from "./page.ts";

const folder = mkdtempSync(join(tmpdir(), "pushforward-parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes the rows of a query as a Parquet file. */
async function writeParquet(name: string, query: string, options = ""): Promise<string> {
  const path = join(folder, name);
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet${options})`);
  connection.closeSync();
  return path;
}

const blobOf = (path: string) => new Blob([readFileSync(path)]);

describe("a Parquet file", () => {
  test.each(["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"])(
    "compressed by %s has the points of its columns of numbers",
    async (compression) => {
      const query = `SELECT i::INTEGER AS id, i::BIGINT * 1000 AS big, (i / 8)::FLOAT AS f, sqrt(i) AS d,
        (i / 4)::DECIMAL(9, 2) AS money, 'a' || i AS label, DATE '2020-01-01' + i::INTEGER AS day,
        TIMESTAMP '2020-01-01' AS moment, i % 2 = 0 AS even FROM range(3000) t(i)`;
      const options = `, COMPRESSION ${compression}, ROW_GROUP_SIZE 2048`;
      const file = blobOf(await writeParquet(`${compression}.parquet`, query, options));
      expect(await numericColumns(file)).toEqual(["id", "big", "f", "d", "money"]);
      const { values, rows, skipped } = await parquetPoints(file, ["d", "money"]);
      expect({ rows, skipped }).toEqual({ rows: 3000, skipped: 0 });
      expect(values).toEqual(Array.from({ length: 3000 }, (_, i) => [Math.sqrt(i), i / 4]).flat());
      expect((await parquetPoints(file, ["big", "f"])).values.slice(-2)).toEqual([2_999_000, 2999 / 8]);
    },
  );

  test("leaves out rows without two numbers", async () => {
    const query = "SELECT unnest([1.5, NULL, 3, 'nan'::DOUBLE]) AS x, unnest([1, 2, 3, 4]) AS y";
    const file = blobOf(await writeParquet("missing.parquet", query));
    expect(await parquetPoints(file, ["x", "y"])).toEqual({ values: [1.5, 1, 3, 3], rows: 2, skipped: 2 });
  });

  test("without two columns of numbers is an error that lists its columns", async () => {
    const file = blobOf(await writeParquet("text.parquet", "SELECT 'a' AS name, 1 AS n, [1, 2] AS list"));
    await expect(numericColumns(file)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: Two columns of numbers are needed. The columns are name (utf8), n (int_32).]`,
    );
  });
});

describePage("a Parquet file in the page", (site) => {
  test("is learned, and its columns are chosen; errors name the file", async () => {
    await using visit = await site.visit("#layers=1&width=4");
    const { page } = visit;
    await page.getByText("Your table").click();
    const input = page.locator("input[type=file]");
    const query = "SELECT i AS row, sin(i) AS a, 1000 + cos(i) AS b FROM range(60) t(i)";
    expect(visit.files.some((file) => file.includes("parquet"))).toBe(false);
    await input.setInputFiles(await writeParquet("circle.parquet", query, ", COMPRESSION zstd"));
    await expect.poll(() => page.getByText("60 rows of circle.parquet").isVisible()).toBe(true);
    await page.getByLabel("Column for x").selectOption("a");
    await page.getByLabel("Column for y").selectOption("b");
    await expect.poll(() => page.url()).toMatch(/#points=0_1001_0\.84147/);
    await visit.button("One epoch").click();
    await expect.poll(() => visit.figure("epoch")).toBe(1);
    const broken = join(folder, "broken.parquet");
    writeFileSync(broken, "PAR1 and then something else");
    await input.setInputFiles(broken);
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/^broken\.parquet: /);
    const text = join(folder, "words.csv");
    writeFileSync(text, "a,b\nc,d\n");
    await input.setInputFiles(text);
    await expect
      .poll(() => page.getByRole("alert").textContent())
      .toMatch(/^words\.csv: There are no two columns/);
    expect(visit.problems).toEqual([]);
  });
});
