import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type Points, pointsOf } from "../table.ts";

const NUMBERS = ["INT32", "INT64", "FLOAT", "DOUBLE"];

/** Whether the values are numbers. Parquet also stores dates and times as integers, and decimals and half-precision numbers as bytes. */
function isNumeric({ type, logical_type, converted_type }: SchemaElement): boolean {
  const meaning = logical_type?.type ?? converted_type ?? "";
  if (meaning === "DECIMAL" || meaning === "FLOAT16") return true;
  return NUMBERS.includes(type ?? "") && !/^(DATE|TIME)/.test(meaning);
}

/** A view of a file for hyparquet, which reads only the parts that it needs, so the file may be large. */
const bufferOf = (file: Blob) => ({
  byteLength: file.size,
  slice: (start: number, end?: number) => file.slice(start, end).arrayBuffer(),
});

/** The names of the columns of numbers of a Parquet file. Throws if there are fewer than two. */
export async function numericColumns(file: Blob): Promise<string[]> {
  const columns = columnsOf(await parquetMetadataAsync(bufferOf(file)));
  const names = columns.filter(({ element }) => isNumeric(element)).map(({ element }) => element.name);
  if (names.length < 2)
    throw new Error(
      `Two columns of numbers are needed. The columns are ${columns.map(describe).join(", ")}.`,
    );
  return names;
}

/** The points of two columns of a Parquet file. */
export async function parquetPoints(file: Blob, [x, y]: readonly [string, string]): Promise<Points> {
  const buffer = bufferOf(file);
  const metadata = await parquetMetadataAsync(buffer);
  const columns = new Map(
    [x, y].map((name) => [name, new Float64Array(Number(metadata.num_rows)).fill(Number.NaN)]),
  );
  await parquetRead({
    file: buffer,
    metadata,
    columns: [...columns.keys()],
    compressors,
    onChunk({ columnName, columnData, rowStart }) {
      const column = columns.get(columnName)!;
      for (let i = 0; i < columnData.length; i++) {
        const value = columnData[i];
        // 64-bit integers are of the type bigint.
        if (value !== null && value !== undefined) column[rowStart + i] = Number(value);
      }
    },
  });
  return pointsOf(columns.get(x)!, columns.get(y)!);
}

/** The columns that have one value for each row. */
const columnsOf = (metadata: FileMetaData) =>
  parquetSchema(metadata).children.filter(
    ({ children, element }) => children.length === 0 && element.repetition_type !== "REPEATED",
  );

const describe = ({ element: { name, type, logical_type, converted_type } }: { element: SchemaElement }) =>
  `${name} (${(logical_type?.type ?? converted_type ?? type ?? "").toLowerCase()})`;
