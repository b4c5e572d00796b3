import { quotedIdentifier } from "../data/database.ts";
import { openTable, type Table } from "../data/index.ts";
import { quotedIfNeeded, shellQuotedQuery } from "../data/query.ts";
import { PushforwardError } from "../errors.ts";
import { type ImageShape, imageSize } from "../nn/image.ts";
import { classesOf, type ImageSet, imagesPerBlock, type OpenImagesOptions, shapeText } from "./imageSet.ts";
import { pixelsOf } from "./numberArrays.ts";
import { decodePicture, isPicture } from "./pictureFile.ts";

/** The possible names of the column of labels, in any case. */
const LABEL_NAMES = ["label", "class"];

/**
 * Opens a table of images, one in each row: columns of pixels, or one column of bytes (`BLOB`, or a `STRUCT` with the field `bytes`,
 * as in the Parquet files of Hugging Face), which are PNG, JPEG, or raw pixels. A column `label` or `class` has the classes.
 *
 * @throws DATA if the columns are not those of images, or a row has no label; FILE if a picture cannot be decoded.
 */
export async function openPixelTable(
  paths: readonly string[],
  source: string,
  options: OpenImagesOptions,
): Promise<ImageSet> {
  const table = await openTable(paths, options.signal ? { signal: options.signal } : {});
  try {
    const { columns, rows: count } = table;
    const label = columns.find(({ name }) => LABEL_NAMES.includes(name.toLowerCase()));
    const imageColumns = columns.filter((column) => column !== label);
    const bytes = imageColumns.map(bytesOf).find((sql) => sql !== undefined);
    const images = bytes
      ? await bytesOfTable(table, bytes, options.shape)
      : pixelsOfTable(
          table,
          imageColumns.map(({ name }) => name),
          options.shape,
        );
    return {
      source,
      count,
      ...images,
      ...(label && { classes: classesOf(await labelsOf(table, label.name)) }),
      close: () => table.close(),
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

type Content = Pick<ImageSet, "shape" | "blocks">;

/** The SQL expression of the bytes in a column. Undefined for a column without bytes. */
const bytesOf = ({ name, type }: { name: string; type: string }): string | undefined =>
  type === "BLOB"
    ? quotedIdentifier(name)
    : /^STRUCT\(.*"?bytes"? BLOB/.test(type)
      ? `${quotedIdentifier(name)}.bytes`
      : undefined;

function pixelsOfTable(table: Table, columns: readonly string[], shape: ImageShape | undefined): Content {
  const { source } = table;
  if (!shape || imageSize(shape) !== columns.length) {
    throw new PushforwardError("DATA", `The columns of ${source} are not those of images`, {
      expected: shape
        ? `${imageSize(shape)} columns of pixels for ${shapeText(shape)}, and at most a column "label"`
        : "the height, the width and the channels of the images",
      received: `${columns.length} columns besides the label`,
      hint: shape ? "Correct --image, or select the columns by a query." : "State them: --image 28x28x1",
    });
  }
  const size = columns.length;
  return {
    shape,
    async *blocks() {
      let first = 0;
      const expressions = columns.map(quotedIdentifier);
      for await (const values of table.database.stream(
        expressions,
        table.relation.sql,
        imagesPerBlock(size),
      )) {
        yield pixelsOf(values, { name: source }, first, size);
        first += values.length / size;
      }
      await table.checkUnchanged();
    },
  };
}

async function bytesOfTable(table: Table, sql: string, stated: ImageShape | undefined): Promise<Content> {
  const { source, rows, database, relation } = table;
  const read = async (start: number, count: number) => {
    const texts = await database.rows(
      `SELECT to_base64(${sql}) FROM ${relation.sql} LIMIT ${count} OFFSET ${start}`,
    );
    return texts.map(([text]) => Buffer.from((text as string | null) ?? "", "base64"));
  };
  const decode = async (bytes: Buffer, row: number) => {
    const name = `Image ${row} of ${source}`;
    if (isPicture(bytes) || !stated) return decodePicture(bytes, name);
    return { shape: stated, pixels: bytes };
  };
  const [first] = rows > 0 ? await read(0, 1) : [];
  const { shape } = first ? await decode(first, 0) : { shape: stated };
  if (!shape) throw new PushforwardError("DATA", `${source} has no rows`, { expected: "one image per row" });
  const size = imageSize(shape);
  const perBlock = imagesPerBlock(size);
  return {
    shape,
    async *blocks() {
      for (let start = 0; start < rows; start += perBlock) {
        const images = await read(start, perBlock);
        const block = new Uint8Array(images.length * size);
        for (const [i, bytes] of images.entries()) {
          const { shape: own, pixels } = await decode(bytes, start + i);
          if (own.join() !== shape.join() || pixels.length !== size) {
            throw new PushforwardError(
              "DATA",
              `Image ${start + i} of ${source} has another size than the first`,
              {
                expected: shapeText(shape),
                received: own.join() === shape.join() ? `${pixels.length} bytes` : shapeText(own),
                hint: "Give images of one size.",
              },
            );
          }
          block.set(pixels, i * size);
        }
        yield block;
      }
      await table.checkUnchanged();
    },
  };
}

async function labelsOf(table: Table, name: string): Promise<string[]> {
  const rows = await table.database.rows(
    `SELECT CAST(${quotedIdentifier(name)} AS VARCHAR) FROM ${table.relation.sql}`,
  );
  return rows.map(([label], i) => {
    if (typeof label === "string") return label;
    throw new PushforwardError("DATA", `Row ${i + 1} of ${table.source} has no ${name}`, {
      hint: `Leave such rows out by a query: ${shellQuotedQuery(`FROM ${table.inQuery() ?? "..."} WHERE ${quotedIfNeeded(name)} IS NOT NULL`)}`,
    });
  });
}
