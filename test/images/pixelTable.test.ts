import { describe, expect, test, vi } from "vitest";
import { openImages } from "../../src/open/index.ts";
import { isImagePath } from "../../src/open/openImages.ts";
import { Database } from "../../src/tables/io/database.ts";
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
      State them: shape: [28, 28, 1]"
    `);
    expect(await failure(openImages(table, { shape: [2, 2, 1] }))).toMatchInlineSnapshot(`
      "DATA The columns of pixels.csv are not those of images: expected 4 columns of pixels for 2 x 2 x 1, and optionally a column named label or class, received 6 columns besides the label.
      Select the columns of the pixels by a query. Or correct the option shape."
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

  test("a value that is not a pixel is named by its row and column, with a query that converts all pixels", async () => {
    const table = write("fractions.csv", Buffer.from("label,p0,p1\ncat,0,0.2\nant,1,0\n"));
    const all = async (source: string) => pixelsOf(await openImages(source, { shape: [1, 2, 1] }));
    expect(await failure(all(table))).toMatchInlineSnapshot(`
      "DATA Row 1 of fractions.csv has the value 0.2 in the column p1: expected integers from 0 to 255.
      If the values are from 0 to 1, multiply them by 255: "SELECT label, round(255 * COLUMNS(* EXCLUDE label)) FROM 'fractions.csv'""
    `);
    const query = `SELECT label, round(255 * COLUMNS(* EXCLUDE label)) FROM '${table}'`;
    expect(await all(query)).toEqual([0, 51, 255, 0]);
    expect(await failure(all(write("missing.csv", Buffer.from("p0,p1\n0,1\n1,\n"))))).toMatchInlineSnapshot(`
      "DATA Row 2 of missing.csv has no value in the column p1: expected integers from 0 to 255.
      Leave such rows out by a query: "FROM 'missing.csv' WHERE p1 IS NOT NULL""
    `);
  });

  test("the row of an image among several files is that of its file", async () => {
    const files = [
      write("first.csv", Buffer.from("p0,p1\n0,1\n2,3\n")),
      write("second.csv", Buffer.from("p0,p1\n4,5\n6,700\n")),
    ];
    const images = await openImages(files, { shape: [1, 2, 1] });
    expect(images.nameOf(0)).toBe(`Row 1 of ${files[0]}`);
    expect(await failure(pixelsOf(images))).toMatch(
      "DATA Row 2 of second.csv has the value 700 in the column p1",
    );
  });

  /** Writes the rows of a query as Parquet, and returns the path. */
  async function parquet(name: string, query: string): Promise<string> {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (${query}) TO '${path(name)}'`);
    connection.closeSync();
    return path(name);
  }

  const blob = (bytes: Uint8Array) => `unhex('${Buffer.from(bytes).toString("hex")}')`;

  /** Two PNG files of 4 x 6 x 1 and their labels, as Hugging Face writes them. */
  const pictures = () => {
    const [a, b] = [0, 24].map((start) => blob(png(somePixels(2).subarray(start, start + 24))));
    return `FROM (VALUES ({'bytes': ${a}, 'path': 'a.png'}, 7), ({'bytes': ${b}, 'path': 'b.png'}, 3)) t(image, label)`;
  };

  test("a column of encoded pictures, as in Parquet files of Hugging Face, is decoded", async () => {
    const images = await openImages(await parquet("images.parquet", pictures()));
    expect(images.shape).toEqual([4, 6, 1]);
    expect(images.classes).toEqual({ names: ["3", "7"], indices: Int32Array.of(1, 0) });
    expect(await pixelsOf(images)).toEqual([...somePixels(2)]);
  });

  test("a column of raw pixels has the shape that is stated, also if its bytes begin nearly as JPEG", async () => {
    const file = await parquet(
      "raw.parquet",
      "SELECT unhex(x) AS image FROM (VALUES ('ffd80102'), ('00010203')) t(x)",
    );
    const images = await openImages(file, { shape: [2, 2, 1] });
    expect(await pixelsOf(images)).toEqual([0xff, 0xd8, 1, 2, 0, 1, 2, 3]);
    expect(await failure(openImages(file))).toMatchInlineSnapshot(`
      "DATA Row 1 of raw.parquet is not a picture that can be read: expected PNG or JPEG, received 4 bytes of another format.
      If they are the pixels, state height, width and channels: shape: [28, 28, 1]"
    `);
    expect(await failure(openImages(file, { shape: [3, 3, 1] }))).toMatchInlineSnapshot(`
      "DATA Row 1 of raw.parquet has 4 bytes: expected 9 bytes, the pixels of 3 x 3 x 1, as the option shape says.
      Give images of this size."
    `);
  });

  test("all blocks of a column of bytes are read by one query, because a query with an offset reads the rows before it", async () => {
    const size = 1100 * 1000 * 3;
    const file = await parquet(
      "blocks.parquet",
      `SELECT unhex(repeat('0' || i, ${size})) AS image FROM range(3) t(i)`,
    );
    const images = await openImages(file, { shape: [1100, 1000, 3] });
    const queries = vi.spyOn(Database.prototype, "run");
    const streams = vi.spyOn(Database.prototype, "streamBytes");
    const blocks: number[][] = [];
    for await (const block of images.blocks()) blocks.push([block.length, block[0]!, block.at(-1)!]);
    expect(blocks).toEqual([0, 1, 2].map((image) => [size, image, image]));
    expect([queries, streams].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    vi.restoreAllMocks();
    await images.close();
  });

  test("pictures of a different shape from the stated one are an error", async () => {
    const file = await parquet("shapes.parquet", pictures());
    const open = (shape: [number, number, number]) =>
      openImages(file, { shape, statedBy: { name: "the model" } });
    expect(await failure(open([4, 4, 1]))).toMatchInlineSnapshot(`
      "DATA Row 1 of shapes.parquet has a different size from the model: expected 4 x 4 x 1 (height, width, channels), received 4 x 6 x 1.
      Convert the pictures to one form, and write the table again."
    `);
    expect(await failure(open([4, 6, 3]))).toMatchInlineSnapshot(`
      "DATA Row 1 of shapes.parquet has different channels from the model: expected 4 x 6 x 3 (height, width, channels), received 4 x 6 x 1.
      Convert the pictures to one form, and write the table again."
    `);
  });

  test("rows without a picture or a label are named, and so are several columns of bytes", async () => {
    const all = async (query: string, options = {}) =>
      pixelsOf(await openImages(await parquet("rows.parquet", query), options));
    const picture = blob(png(somePixels(1)));
    expect(await failure(all(`FROM (VALUES (${picture}), (NULL)) t(image)`))).toMatchInlineSnapshot(`
      "DATA Row 2 of rows.parquet has no image.
      Leave such rows out by a query: "FROM 'rows.parquet' WHERE image IS NOT NULL""
    `);
    expect(await failure(all(`FROM (VALUES (${picture}), ('abc'::BLOB)) t(image)`))).toMatchInlineSnapshot(`
      "FILE Row 2 of rows.parquet is not a picture that can be read: expected PNG or JPEG, received another format.
      Convert it, and write the table again."
    `);
    expect(await failure(all(`SELECT ${picture} AS a, ${picture} AS b, 1 AS label`))).toMatchInlineSnapshot(`
      "DATA rows.parquet has several columns of bytes: expected one column, received a, b.
      Select one by a query: "SELECT a, label FROM 'rows.parquet'""
    `);
    const unlabeled = `FROM (VALUES (${picture}, 1.5::DOUBLE), (${picture}, 'nan'::DOUBLE)) t(image, label)`;
    expect(await failure(all(unlabeled))).toMatchInlineSnapshot(`
      "DATA Row 2 of rows.parquet has no label.
      Leave such rows out by a query: "FROM 'rows.parquet' WHERE NOT isnan(label)""
    `);
    expect(await all(`FROM (${unlabeled}) WHERE NOT isnan(label)`)).toHaveLength(24);
    expect(await all(unlabeled, { classes: false })).toHaveLength(48);
  });

  test("are recognized by the first value of a column of bytes", async () => {
    const columns = { pictureColumns: true };
    const file = await parquet("recognized.parquet", pictures());
    expect(await isImagePath(file, columns)).toBe(true);
    expect(await isImagePath(`SELECT image.bytes FROM '${file}'`, columns)).toBe(true);
    expect(await isImagePath(`SELECT label FROM '${file}'`, columns)).toBe(false);
    expect(await isImagePath(file, { pictureColumns: false })).toBe(false);
    const other = await parquet("other.parquet", "SELECT 'abcd'::BLOB AS note, 1 AS x");
    expect(await isImagePath(other, columns)).toBe(false);
    expect(await failure(isImagePath(path("absent.parquet"), columns))).toMatch(/^FILE There is no file/);
  });
});
