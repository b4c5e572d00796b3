import { rowMajor } from "../../dataset/index.ts";
import { decodeRows, MAX_INTEGER, type TableColumn, typedText, type ValueType } from "../columns/index.ts";
import { nanToNull } from "./copy.ts";
import { type Chunks, textLiteral } from "./database.ts";
import type { Labels } from "./labels.ts";
import { type OutputField, writeFields } from "./writeFields.ts";
import { labelAt, numberField } from "./writeRows.ts";

/** Options of `writeTable`. */
interface WriteTableOptions {
  /** Columns of numbers that follow the features in each row. Default none. */
  readonly given?: readonly string[] | undefined;
  /** The labels that numbers of columns in `given` are indices of. Default none. */
  readonly labels?: Labels | undefined;
}

/**
 * Writes rows of features in row-major order, such as samples of a model, as a table with the columns `columns` and after them `given`.
 *
 * Values have the types that were learned: labels, dates, times, booleans, integers, numbers. Constants are written in each row, NaN as a
 * missing value. The format, the destination and errors are those of `writeRows`.
 *
 * @throws ARGUMENT if no format belongs to the extension; FILE if the file cannot be written.
 */
export async function writeTable(
  columns: readonly TableColumn[],
  chunks: Chunks,
  destination: string | NodeJS.WritableStream = process.stdout,
  { given = [], labels = new Map() }: WriteTableOptions = {},
): Promise<void> {
  const fields = [...columns.map(columnField), ...given.map((name) => numberField(name, labels.get(name)))];
  await writeFields(fields, decodedChunks(columns, chunks, given.length), destination);
}

/** Rows of features as rows of values: one number for each column, and after them the last `given` numbers of each row. */
export async function* decodedChunks(
  columns: readonly TableColumn[],
  chunks: Chunks,
  given = 0,
): AsyncGenerator<Float64Array> {
  for await (const chunk of chunks) {
    const values = decodeRows(columns, chunk, given);
    yield rowMajor(values, values[0]!.length);
  }
}

/** DuckDB's type for the values of each type. */
const SQL_TYPES: Readonly<Record<ValueType, string>> = {
  number: "DOUBLE",
  integer: "BIGINT",
  boolean: "BOOLEAN",
  text: "VARCHAR",
  date: "DATE",
  timestamp: "TIMESTAMP",
  time: "TIME",
};

/** How the decoded values of a column are written. */
export function columnField(column: TableColumn): OutputField {
  const { name } = column;
  const type = SQL_TYPES[column.type];
  const text = (value: number) => (Number.isNaN(value) ? "" : typedText(column.type, value));
  switch (column.kind) {
    case "constant": {
      const { value } = column;
      // A constant is decoded to 0, the index of its only label.
      if (value === null) return { name, text: () => "", type, sql: () => `CAST(NULL AS ${type})` };
      return { name, labels: [value], text, type, sql: () => `CAST(${textLiteral(value)} AS ${type})` };
    }
    case "categorical": {
      const { labels } = column;
      return {
        name,
        labels,
        text: () => "",
        type,
        sql: (code) => `CAST(${labelAt(labels, code)} AS ${type})`,
      };
    }
    case "time":
      return { name, text, type, sql: (time) => `CAST(${timestamp(time)} AS ${type})` };
    default:
      if (column.type === "number") return { name, text, type, sql: nanToNull };
      return { name, text, type, sql: integer };
  }
}

/** `least` and `greatest` ignore NULL, so missing values are a case of their own. */
const integer = (number: string): string =>
  `CASE WHEN NOT isnan(${number}) THEN CAST(least(greatest(${number}, -${MAX_INTEGER}), ${MAX_INTEGER}) AS BIGINT) END`;

const timestamp = (milliseconds: string): string => `epoch_ms(CAST(${nanToNull(milliseconds)} AS BIGINT))`;
