import { PushforwardError } from "../check/index.ts";
import {
  classesOf,
  decodePicture,
  type ImageSet,
  imagesPerBlock,
  isPicture,
  OPTION_SHAPE,
  type OpenImagesOptions,
  otherShape,
  type PixelSource,
  pixelsOf,
  shapeText,
} from "../images/files/index.ts";
import { imageSize } from "../nn/index.ts";
import {
  type Column,
  Database,
  exactPath,
  isQuery,
  openTable,
  quotedIfNeeded,
  shellQuotedQuery,
  stringLiteral,
  subquery,
  type Table,
} from "../tables/io/index.ts";
import { quotedIdentifier } from "../tables/options/index.ts";

/** The possible names of the column of labels, in any case. */
const LABEL_NAMES = ["label", "class"];

/**
 * Opens a table of images, one in each row: columns of pixels, or one column of bytes (`BLOB`, or a `STRUCT` with the field `bytes`,
 * as in the Parquet files of Hugging Face), which are PNG, JPEG, or raw pixels. A column `label` or `class` has the classes.
 *
 * @throws DATA if the columns are not those of images, images have different sizes or not the stated one, or a row has no image or no
 *   label; FILE if a picture cannot be decoded.
 */
export async function openPixelTable(
  paths: readonly string[],
  options: OpenImagesOptions,
): Promise<ImageSet> {
  const table = await openTable(paths, options.signal ? { signal: options.signal } : {});
  try {
    const { source, columns, rows: count } = table;
    const label = columns.find(({ name }) => LABEL_NAMES.includes(name.toLowerCase()));
    const imageColumns = columns.filter((column) => column !== label);
    const [bytes, ...otherBytes] = imageColumns.filter(hasBytes);
    if (otherBytes.length > 0) throw severalColumns(table, [bytes!, ...otherBytes], label);
    const images = bytes
      ? await bytesOfTable(table, bytes, options)
      : pixelsOfTable(table, imageColumns, label, options);
    return {
      source,
      count,
      nameOf: rowName(table),
      ...images,
      ...(label && options.classes !== false && { classes: classesOf(await labelsOf(table, label)) }),
      close: () => table.close(),
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

/**
 * Whether a Parquet file or a query has pictures: there are columns of bytes, and the first value of each is PNG or JPEG. A file
 * is read only up to these values, but a query with a join, a sort or an aggregate is run completely. False if it cannot be read.
 */
export async function hasPictures(path: string): Promise<boolean> {
  const database = await Database.open(path);
  try {
    const relation = isQuery(path) ? subquery(path) : `read_parquet(${stringLiteral(exactPath(path))})`;
    const columns = await database.run(`DESCRIBE FROM ${relation}`);
    const bytes = columns
      .map(([name, type]) => ({ name: name as string, type: type as string }))
      .filter(hasBytes)
      .map((column) => bytesSql(column, quotedIdentifier));
    if (bytes.length === 0) return false;
    const firsts = bytes.map(
      (sql) => `(SELECT to_base64(${sql}[1:4]) FROM ${relation} WHERE ${sql} IS NOT NULL LIMIT 1)`,
    );
    const [values] = await database.run(`SELECT ${firsts.join(", ")}`);
    return values!.every((value) => typeof value === "string" && isPicture(Buffer.from(value, "base64")));
  } catch {
    // The reader of tables explains what is wrong with the path or the query.
    return false;
  } finally {
    await database.close();
  }
}

type Content = Pick<ImageSet, "shape" | "blocks" | "isFullRange">;

const BYTES_FIELD = /^STRUCT\(.*"?bytes"? BLOB/;

const hasBytes = ({ type }: Column): boolean => type === "BLOB" || BYTES_FIELD.test(type);

/** The SQL expression of the bytes in a column of bytes. */
const bytesSql = ({ name, type }: Column, quoted: (name: string) => string): string =>
  type === "BLOB" ? quoted(name) : `${quoted(name)}.bytes`;

/** The name of an image in messages. */
const rowName =
  (table: Table) =>
  (image: number): string => {
    const { file, row } = table.fileRow(image + 1);
    return `Row ${row} of ${file}`;
  };

/** Whether NaN in a column means a missing value, as pandas writes it. */
const hasNaN = ({ type }: Column): boolean => /^(FLOAT|DOUBLE)$/.test(type);

/** How to leave out the rows without a value in the column. */
function withoutMissing(table: Table, column: Column): string {
  const sql = hasBytes(column) ? bytesSql(column, quotedIfNeeded) : quotedIfNeeded(column.name);
  const isPresent = hasNaN(column) ? `NOT isnan(${sql})` : `${sql} IS NOT NULL`;
  return `Leave such rows out by a query: ${shellQuotedQuery(`FROM ${inQuery(table)} WHERE ${isPresent}`)}`;
}

const inQuery = (table: Table): string => table.inQuery() ?? "...";

function severalColumns(
  table: Table,
  columns: readonly Column[],
  label: Column | undefined,
): PushforwardError {
  const names = [columns[0]!, ...(label ? [label] : [])].map(({ name }) => quotedIfNeeded(name));
  return new PushforwardError("DATA", `${table.source} has several columns of bytes`, {
    expected: "one column",
    received: columns.map(({ name }) => name).join(", "),
    hint: `Select one by a query: ${shellQuotedQuery(`SELECT ${names.join(", ")} FROM ${inQuery(table)}`)}`,
  });
}

function pixelsOfTable(
  table: Table,
  columns: readonly Column[],
  label: Column | undefined,
  { shape, statedBy = OPTION_SHAPE }: OpenImagesOptions,
): Content {
  const { source } = table;
  const size = columns.length;
  if (!shape || imageSize(shape) !== size) {
    const select = "Select the columns of the pixels by a query.";
    throw new PushforwardError("DATA", `The columns of ${source} are not those of images`, {
      expected: shape
        ? `${imageSize(shape)} columns of pixels for ${shapeText(shape)}, and optionally a column named label or class`
        : "the height, the width and the channels of the images",
      received: `${size} columns besides the label`,
      hint: !shape
        ? `State them: ${statedBy.example}`
        : statedBy.example === undefined
          ? select
          : `${select} Or correct ${statedBy.name}.`,
    });
  }
  const pixelSource: PixelSource = {
    nameOf: rowName(table),
    columnOf: (pixel) => columns[pixel]!.name,
    withoutMissing: (pixel) => withoutMissing(table, columns[pixel]!),
    rounded(formula) {
      const name = label && quotedIfNeeded(label.name);
      const pixels = `round(${formula(name ? `COLUMNS(* EXCLUDE ${name})` : "COLUMNS(*)")})`;
      return shellQuotedQuery(`SELECT ${name ? `${name}, ` : ""}${pixels} FROM ${inQuery(table)}`);
    },
  };
  return {
    shape,
    async *blocks() {
      let first = 0;
      const expressions = columns.map(({ name }) => quotedIdentifier(name));
      for await (const values of table.database.stream(
        expressions,
        table.relation.sql,
        imagesPerBlock(size),
      )) {
        yield pixelsOf(values, pixelSource, first, size);
        first += values.length / size;
      }
      await table.checkUnchanged();
    },
  };
}

async function bytesOfTable(
  table: Table,
  column: Column,
  { shape: stated, statedBy = OPTION_SHAPE }: OpenImagesOptions,
): Promise<Content> {
  const { source, database, relation } = table;
  const nameOf = rowName(table);
  /** The images of the rows of `from`, which are the first rows of the table. */
  async function* imagesOf(from: string): AsyncGenerator<Uint8Array> {
    let image = 0;
    for await (const bytes of database.streamBytes(bytesSql(column, quotedIdentifier), from)) {
      if (bytes === null) {
        throw new PushforwardError("DATA", `${nameOf(image)} has no image`, {
          hint: withoutMissing(table, column),
        });
      }
      yield bytes;
      image++;
    }
  }
  const firsts: Uint8Array[] = [];
  for await (const bytes of imagesOf(`(FROM ${relation.sql} LIMIT 1)`)) firsts.push(bytes);
  const [first] = firsts;
  const isRaw = first !== undefined && !isPicture(first);
  if (isRaw && !stated) {
    throw new PushforwardError("DATA", `${nameOf(0)} is not a picture that can be read`, {
      expected: "PNG or JPEG",
      received: `${first.length} bytes of another format`,
      hint: `If they are the pixels, state height, width and channels: ${statedBy.example}`,
    });
  }
  const shape = stated ?? (first && (await decodePicture(first, nameOf(0), false)).shape);
  if (!shape) throw new PushforwardError("DATA", `${source} has no rows`, { expected: "one image per row" });
  const size = imageSize(shape);
  const decode = async (bytes: Uint8Array, name: string): Promise<Uint8Array> => {
    if (!isRaw) {
      const picture = await decodePicture(bytes, name, false);
      if (picture.shape.join() === shape.join()) return picture.pixels;
      throw otherShape(name, picture.shape, shape, stated ? statedBy.name : nameOf(0), false);
    }
    if (bytes.length === size) return bytes;
    throw new PushforwardError("DATA", `${name} has ${bytes.length} bytes`, {
      expected: `${size} bytes, the pixels of ${shapeText(shape)}, as ${statedBy.name} says`,
      hint: "Give images of this size.",
    });
  };
  if (first) await decode(first, nameOf(0));
  const perBlock = imagesPerBlock(size);
  return {
    shape,
    isFullRange: !isRaw,
    async *blocks() {
      let block: Uint8Array[] = [];
      let image = 0;
      for await (const bytes of imagesOf(relation.sql)) {
        block.push(await decode(bytes, nameOf(image)));
        image++;
        if (block.length < perBlock) continue;
        yield Buffer.concat(block);
        block = [];
      }
      if (block.length > 0) yield Buffer.concat(block);
      await table.checkUnchanged();
    },
  };
}

async function labelsOf(table: Table, column: Column): Promise<string[]> {
  const text = `CAST(${quotedIdentifier(column.name)} AS VARCHAR)`;
  const label = hasNaN(column) ? `nullif(${text}, 'nan')` : text;
  const rows = await table.database.run(`SELECT ${label} FROM ${table.relation.sql}`);
  return rows.map(([label], i) => {
    if (typeof label === "string") return label;
    throw new PushforwardError("DATA", `${rowName(table)(i)} has no ${column.name}`, {
      hint: withoutMissing(table, column),
    });
  });
}
