import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, describe, expect, test } from "vitest";
import { rowsOf } from "../app/model/rows.ts";
import { rowsOfParquet } from "../app/parquet/parquetRows.ts";
import { numericColumns, parquetPoints } from "../app/parquet/readParquet.ts";
import { describePage } from "./page.ts";
import { column, openNumberModel } from "./tableModels.ts";

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

describe("a Parquet file for a trained model", () => {
  const columns = [
    column("x", "number"),
    column("big", "number"),
    column("city", "label", ["Bern", 'Zürich, "HB"', "0"]),
    column("flag", "label", [true, false]),
    column("size", "label", [1, 2]),
    column("day", "time"),
    column("moment", "time"),
    column("hour", "time"),
  ];
  const query = `SELECT
    CASE WHEN i % 5 = 0 THEN NULL ELSE sqrt(i) END AS x, i::BIGINT * 1000 AS big, i AS unused,
    CASE i % 4 WHEN 0 THEN 'Bern' WHEN 1 THEN 'Zürich, "HB"' WHEN 2 THEN '0' END AS city,
    i % 3 = 0 AS flag, 1 + i % 2 AS size, DATE '2020-01-31' + i::INTEGER AS day,
    TIMESTAMP '1969-12-31 23:59:58.5' + to_seconds(i) AS moment, TIME '09:30:00' + to_seconds(i) AS hour
    FROM range(30) t(i)`;

  test("has the values that CSV has", async () => {
    const file = blobOf(await writeParquet("mixed.parquet", query));
    const csv = join(folder, "mixed.csv");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (${query}) TO '${csv}' (FORMAT csv, HEADER)`);
    connection.closeSync();
    const { rows, total } = await rowsOfParquet(file, columns);
    expect(total).toBe(30);
    expect(rows).toEqual(rowsOf(readFileSync(csv, "utf8"), columns).rows);
    expect(rows[1]).toEqual({
      x: 1,
      big: 1000,
      city: 'Zürich, "HB"',
      flag: false,
      size: 2,
      day: "2020-02-01",
      moment: "1969-12-31 23:59:59.5",
      hour: "09:30:01",
    });
  });

  test("is used in part if it is long, and must have the columns of the model", async () => {
    const long = blobOf(await writeParquet("long.parquet", "SELECT i AS x FROM range(20000) t(i)"));
    const { rows, total } = await rowsOfParquet(long, [column("x", "number")]);
    expect({ total, rows: rows.length, second: rows[1] }).toEqual({
      total: 20_000,
      rows: 5000,
      second: { x: 4 },
    });
    await expect(rowsOfParquet(long, columns)).rejects.toThrow(
      "Missing: big, city, flag, size, day, moment, hour.",
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
      .toMatch(/^words\.csv: The table needs two columns/);
    expect(visit.problems).toEqual([]);
  });

  test("is read again when it is chosen again after a change", async () => {
    await using visit = await site.visit("#layers=1&width=4");
    const { page } = visit;
    await page.getByText("Your table").click();
    // Playwright would announce the file even if the browser does not.
    const browser = await page.context().newCDPSession(page);
    for (const rows of [30, 45]) {
      const file = await writeParquet(
        "changing.parquet",
        `SELECT i AS a, sin(i) AS b FROM range(${rows}) t(i)`,
      );
      const { root } = await browser.send("DOM.getDocument");
      const input = { nodeId: root.nodeId, selector: "input[type=file]" };
      const { nodeId } = await browser.send("DOM.querySelector", input);
      await browser.send("DOM.setFileInputFiles", { files: [file], nodeId });
      await page.getByText(`${rows} rows of changing.parquet`).waitFor();
    }
    expect(visit.problems).toEqual([]);
  });

  test("is compared with generated rows in the page of a trained model", async () => {
    await using visit = await site.visit("#open");
    const { page } = visit;
    const { input } = await openNumberModel(page);
    await input.setInputFiles(
      await writeParquet("rows.parquet", "SELECT sin(i) AS a, cos(i) AS b, i AS c FROM range(50) t(i)"),
    );
    await page.getByText("50 rows in rows.parquet").waitFor();
    await page.locator("[data-figure=real] canvas").waitFor();
    expect(visit.problems).toEqual([]);
  });
});
