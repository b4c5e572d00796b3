import { describe, expect, test } from "vitest";
import { openImages } from "../../src/images/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { pixelsOf, png, somePixels } from "./files.ts";

const { path, write, failure } = temporaryDirectory();

describe("tables of images", () => {
  test("columns of pixels have a shape that is stated, and a column label", async () => {
    const header = ["label", ...Array.from({ length: 6 }, (_, i) => `p${i}`)].join(",");
    const table = write("pixels.csv", Buffer.from(`${header}\ncat,0,1,2,3,4,5\nant,255,254,0,0,0,1\n`));
    const images = await openImages(table, { shape: [2, 3, 1] });
    expect(images.classes).toEqual({ names: ["ant", "cat"], indices: Int32Array.of(1, 0) });
    expect(await pixelsOf(images)).toEqual([0, 1, 2, 3, 4, 5, 255, 254, 0, 0, 0, 1]);
    expect(await failure(openImages(table))).toMatchInlineSnapshot(`
      "DATA The columns of pixels.csv are not those of images: expected the height, the width and the channels of the images, received 6 columns besides the label.
      State them: --image 28x28x1"
    `);
    expect(await failure(openImages(table, { shape: [2, 2, 1] }))).toMatchInlineSnapshot(`
      "DATA The columns of pixels.csv are not those of images: expected 4 columns of pixels for 2 x 2 x 1, and at most a column "label", received 6 columns besides the label.
      Correct --image, or select the columns by a query."
    `);
  });

  test("a query leaves rows without a label out, as the hint says", async () => {
    const table = write("labels.csv", Buffer.from("class,p0,p1\ncat,0,1\n,2,3\nant,4,5\n"));
    expect(await failure(openImages(table, { shape: [1, 2, 1] }))).toMatchInlineSnapshot(`
      "DATA Row 2 of labels.csv has no class.
      Leave such rows out by a query: "FROM 'labels.csv' WHERE class IS NOT NULL""
    `);
    const images = await openImages(`FROM '${table}' WHERE class IS NOT NULL`, { shape: [1, 2, 1] });
    expect(images.classes).toEqual({ names: ["ant", "cat"], indices: Int32Array.of(1, 0) });
    expect(await pixelsOf(images)).toEqual([0, 1, 4, 5]);
    await images.close();
  });

  test("a column of encoded pictures, as in Parquet files of Hugging Face, is decoded", async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const pixels = somePixels(2);
    const blob = (i: number) =>
      `unhex('${Buffer.from(png(pixels.subarray(24 * i, 24 * i + 24))).toString("hex")}')`;
    const file = path("images.parquet");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(
      `COPY (SELECT * FROM (VALUES ({'bytes': ${blob(0)}, 'path': 'a.png'}, 7), ({'bytes': ${blob(1)}, 'path': 'b.png'}, 3)) t(image, label)) TO '${file}'`,
    );
    const images = await openImages(file);
    expect(images.shape).toEqual([4, 6, 1]);
    expect(images.classes).toEqual({ names: ["3", "7"], indices: Int32Array.of(1, 0) });
    expect(await pixelsOf(images)).toEqual([...pixels]);
  });

  test("a column of raw pixels has the shape that is stated, also if its bytes begin nearly as JPEG", async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const file = path("raw.parquet");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(
      `COPY (SELECT unhex(x) AS image FROM (VALUES ('ffd80102'), ('00010203')) t(x)) TO '${file}'`,
    );
    const images = await openImages(file, { shape: [2, 2, 1] });
    expect(await pixelsOf(images)).toEqual([0xff, 0xd8, 1, 2, 0, 1, 2, 3]);
  });
});
