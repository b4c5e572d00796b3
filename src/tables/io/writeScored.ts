import { checkOptions, listOfTexts } from "../../check/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { addedNames, LOG_DENSITY } from "./addedColumns.ts";
import { textOf, typedValue } from "./columnTypes.ts";
import { nanToNull, type OutputColumn } from "./copy.ts";
import type { Chunks } from "./database.ts";
import type { Format } from "./format.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { isoText } from "./valueExpressions.ts";
import { isDelimited, writeJoined } from "./writeJoined.ts";

/**
 * Writes the table with the additional column `log_density`: to a path, in the format that belongs to its extension, or to a stream,
 * as CSV.
 *
 * `scores` has one log-density per row of the table, in the order of the table, in chunks of any size. NaN, for a row that was
 * not scored, is written as a missing value. `numeric` has the names of the columns from which the scores were computed.
 *
 * Columns keep their types. Values from CSV are written to CSV as unchanged text. In JSON and Parquet only the `numeric` columns
 * become numbers, dates or times (in UTC if they have a time zone), except for those with an integer that float64 would change: one
 * with leading zeros, or above 2^53. Infinite values are written as `Infinity` and `-Infinity` (strings in JSON, which has no such
 * numbers).
 *
 * The output is written when it is complete. After any error, including one that `scores` throws, a file at the path is
 * unchanged, and a stream has received nothing.
 *
 * The column is named `log_density_2` if one of the `numeric` columns is named `log_density`.
 *
 * @throws ARGUMENT if no format belongs to the extension, or if the number of scores is wrong; DATA if the table has another column
 *   `log_density` already; FILE if the file cannot be written, or if a file of the table has changed since it was opened.
 */
export async function writeScored(
  table: Table,
  scores: Chunks,
  destination: string | NodeJS.WritableStream,
  options: { numeric?: readonly string[] } = {},
): Promise<void> {
  checkOptions("writeScored", options, { numeric: listOfTexts });
  const { numeric = [] } = options;
  const score = { name: scoreName(table, numeric), type: "DOUBLE", value: nanToNull("computed.c0") };
  const { sql, text = sql } = table.relation;
  await writeJoined(table, { what: "The scores", width: 1, chunks: scores }, destination, async (format) => ({
    columns: [...(await outputColumns(table, numeric, format)), score],
    original: isDelimited(format) ? text : sql,
  }));
}

/** The name of the column that `writeScored` adds. Throws the error of `addedNames`. */
export const scoreName = (table: Table, learned: readonly string[]): string =>
  addedNames(table, [LOG_DENSITY], learned)[0]!;

/**
 * The columns of a table as they are written: those of text files as text, but in JSON and Parquet those in `modelColumns` with the types that
 * their texts represent.
 */
export async function outputColumns(
  table: Table,
  modelColumns: readonly string[],
  format: Format,
): Promise<OutputColumn[]> {
  const { columns, relation } = table;
  const asText = relation.text !== undefined;
  const learned = columns.filter(({ name, type }) => modelColumns.includes(name) && type !== "VARCHAR");
  const typed = asText && !isDelimited(format) ? await losslessColumns(table, learned) : [];
  return columns.map((column) => {
    const { name, type } = column;
    const value = `original.${quotedIdentifier(name)}`;
    if (!asText) {
      return type === "JSON" && isDelimited(format)
        ? { name, type: "VARCHAR", value: textOf(value, type) }
        : { name, type, value };
    }
    return typed.includes(column)
      ? { name, type, value: typedValue(isoText(value, column), type) }
      : { name, type: "VARCHAR", value };
  });
}

/** Of columns of a text file, returns those that have no integer that float64 would change: one with leading zeros, or above 2^53. */
export async function losslessColumns(
  { database, relation }: Table,
  columns: readonly Column[],
): Promise<readonly Column[]> {
  // Integers whose type is BIGINT stay exact.
  const floats = columns.filter(({ type }) => type === "DOUBLE" || type === "VARCHAR");
  if (floats.length === 0) return columns;
  const changed = floats.map(({ name }) => {
    const c = quotedIdentifier(name);
    const leadingZero = `regexp_matches(${c}, '^\\s*[-+]?0\\d')`;
    const integer = `regexp_full_match(${c}, '\\s*[-+]?\\d+\\s*')`;
    // HUGEINT has 38 digits. Integers with more digits count as changed.
    const same = `coalesce(TRY_CAST(TRY_CAST(${c} AS DOUBLE) AS HUGEINT) = TRY_CAST(${c} AS HUGEINT), false)`;
    // CASE evaluates the slow conditions only for the few values that match this pattern.
    const candidate = `regexp_matches(${c}, '^\\s*[-+]?(0\\d|\\d{16})')`;
    return `count_if(CASE WHEN ${candidate} THEN ${leadingZero} OR (${integer} AND NOT ${same}) END)`;
  });
  const [counts] = await database.run(`SELECT ${changed.join(", ")} FROM ${relation.sql}`);
  return columns.filter(
    (column) => !floats.includes(column) || Number(counts![floats.indexOf(column)]) === 0,
  );
}
