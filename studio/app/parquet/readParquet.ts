import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { pointsOf, type TablePoints } from "../table.ts";

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

/** A value as hyparquet reads it. 64-bit integers are of the type bigint. */
export type ParquetValue = string | number | bigint | boolean | Date;

/** A Parquet file whose metadata have been read. */
export interface ParquetFile {
  readonly rows: number;
  /** The columns that have one value for each row, by their names. */
  readonly columns: ReadonlyMap<string, SchemaElement>;
  /** Reads some of the columns, and calls `take` for each value that is not missing. */
  read(
    names: readonly string[],
    take: (name: string, row: number, value: ParquetValue) => void,
  ): Promise<void>;
}

export async function openParquetFile(file: Blob): Promise<ParquetFile> {
  const buffer = bufferOf(file);
  const metadata = await parquetMetadataAsync(buffer);
  return {
    rows: Number(metadata.num_rows),
    columns: columnsOf(metadata),
    read: (names, take) =>
      parquetRead({
        file: buffer,
        metadata,
        columns: [...names],
        compressors,
        onChunk({ columnName, columnData, rowStart }) {
          for (let i = 0; i < columnData.length; i++) {
            const value = columnData[i];
            if (value !== null && value !== undefined) take(columnName, rowStart + i, value);
          }
        },
      }),
  };
}

/** The names of the columns of numbers of a Parquet file. Throws if there are fewer than two. */
export async function numericColumns(file: Blob): Promise<string[]> {
  const { columns } = await openParquetFile(file);
  const names = [...columns].filter(([, element]) => isNumeric(element)).map(([name]) => name);
  if (names.length < 2)
    throw new Error(
      `Two columns of numbers are needed. The columns are ${[...columns.values()].map(describe).join(", ")}.`,
    );
  return names;
}

/** The points of two columns of a Parquet file. */
export async function parquetPoints(file: Blob, names: readonly [string, string]): Promise<TablePoints> {
  const { rows, read } = await openParquetFile(file);
  const columns = new Map(names.map((name) => [name, new Float64Array(rows).fill(Number.NaN)]));
  await read(names, (name, row, value) => {
    columns.get(name)![row] = Number(value);
  });
  return pointsOf(columns.get(names[0])!, columns.get(names[1])!);
}

/** The columns that have one value for each row, by their names. */
const columnsOf = (metadata: FileMetaData): ReadonlyMap<string, SchemaElement> =>
  new Map(
    parquetSchema(metadata)
      .children.filter(
        ({ children, element }) => children.length === 0 && element.repetition_type !== "REPEATED",
      )
      .map(({ element }) => [element.name, element]),
  );

const describe = ({ name, type, logical_type, converted_type }: SchemaElement) =>
  `${name} (${(logical_type?.type ?? converted_type ?? type ?? "").toLowerCase()})`;
