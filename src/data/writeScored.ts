import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { PushforwardError } from "../errors.ts";
import { replaceFile } from "../files/atomicFile.ts";
import { withTemporaryFile } from "../files/temporaryFile.ts";
import { copyToFile, type OutputColumn, present } from "./copy.ts";
import { type Chunks, quotedIdentifier } from "./database.ts";
import { databaseError } from "./databaseError.ts";
import { type Format, outputFormat } from "./format.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { writeToStream } from "./writeRows.ts";

/** The column that scoring adds. */
export const LOG_DENSITY = "log_density";

/**
 * Writes the table with one more column, `log_density`: to a path, in the format that its ending names, or to a stream,
 * as CSV.
 *
 * `scores` gives one log-density per row of the table, in its order, in chunks of any size; NaN, for a row that could
 * not be scored, is written as a missing value. `numeric` names the columns that the scores were computed from.
 *
 * Columns keep their types. Those of CSV are text, and stay exactly as the file has them. JSON and Parquet get numbers only
 * in the `numeric` columns, and text in one of these too if it has an integer that would not stay itself as a float64:
 * with leading zeros, or beyond 2^53. Infinite values are written as `Infinity` and `-Infinity` (strings in JSON, which
 * has no numbers for them).
 *
 * Everything is written when it is complete; on any failure, one of `scores` too, what was at the path stays and a
 * stream gets nothing.
 *
 * @throws ARGUMENT when the ending names no format or the number of scores is wrong; DATA when the table has a column
 *   `log_density` already; FILE when the file cannot be written, or that of the table has changed since it was opened.
 */
export async function writeScored(
  table: Table,
  scores: Chunks,
  destination: string | NodeJS.WritableStream,
  { numeric = [] }: { numeric?: readonly string[] } = {},
): Promise<void> {
  const taken = table.columns.find(({ name }) => name.toLowerCase() === LOG_DENSITY);
  if (taken) {
    throw new PushforwardError("DATA", `${table.source} already has a column "${taken.name}"`, {
      hint: `Rename it, or leave it out with a query: "SELECT * EXCLUDE (${quotedIdentifier(taken.name)}) FROM ..."`,
    });
  }
  if (typeof destination === "string") {
    const format = outputFormat(destination);
    await replaceFile(destination, (temporary) => writeTo(temporary, format));
    return;
  }
  // Nothing of a table may be seen before all of it is scored, so its rows wait in a file.
  await withTemporaryFile(tmpdir(), async (temporary) => {
    await writeTo(temporary, { name: "csv", gzip: false }).catch((error: unknown) => {
      throw error instanceof Error && error.message.includes(temporary)
        ? databaseError(error, table.source)
        : error;
    });
    await writeToStream(createReadStream(temporary), destination);
  });

  async function writeTo(path: string, format: Format): Promise<void> {
    const typed = await typedColumns(table, numeric, format);
    const scored = await table.database.createTable("scores", 1, scores);
    if (scored !== table.rows) {
      throw new PushforwardError("ARGUMENT", `The scores do not fit ${table.source}`, {
        expected: `${table.rows}, one per row`,
        received: `${scored}`,
      });
    }
    const columns = [...typed, { name: LOG_DENSITY, type: "DOUBLE", value: present("scores.c0") }];
    const { sql, text = sql } = table.relation;
    const from = `${isDelimited(format) ? text : sql} AS original POSITIONAL JOIN scores`;
    // The join reads the table once more, so its rows must still be those that were scored.
    await copyToFile(table.database, columns, from, path, format).finally(() => table.checkUnchanged());
  }
}

/** The columns of a table as `writeScored` writes them. */
async function typedColumns(
  table: Table,
  numeric: readonly string[],
  format: Format,
): Promise<OutputColumn[]> {
  const { columns, relation } = table;
  const asText = relation.text !== undefined;
  const numbers =
    asText && !isDelimited(format)
      ? await keptAsNumbers(
          table,
          columns.filter(({ name, type }) => numeric.includes(name) && type !== "VARCHAR"),
        )
      : [];
  return columns.map((column) => {
    const { name, type } = column;
    const value = `original.${quotedIdentifier(name)}`;
    if (!asText) return { name, type, value };
    return numbers.includes(column)
      ? { name, type, value: `CAST(${value} AS ${type})` }
      : { name, type: "VARCHAR", value };
  });
}

const isDelimited = ({ name }: Format): boolean => name === "csv" || name === "tsv";

/** Those of the columns of numbers in text that have no integers which a float64 changes. */
async function keptAsNumbers(
  { database, relation }: Table,
  columns: readonly Column[],
): Promise<readonly Column[]> {
  const floats = columns.filter(({ type }) => type === "DOUBLE");
  if (floats.length === 0) return columns;
  const changed = floats.map(({ name }) => {
    const c = quotedIdentifier(name);
    const leadingZero = `regexp_matches(${c}, '^\\s*[-+]?0\\d')`;
    const integer = `regexp_full_match(${c}, '\\s*[-+]?\\d+\\s*')`;
    // HUGEINT has 38 digits; an integer of more counts as changed.
    const same = `coalesce(TRY_CAST(TRY_CAST(${c} AS DOUBLE) AS HUGEINT) = TRY_CAST(${c} AS HUGEINT), false)`;
    // CASE evaluates what follows for the few values that pass this.
    const candidate = `regexp_matches(${c}, '^\\s*[-+]?(0\\d|\\d{16})')`;
    return `count_if(CASE WHEN ${candidate} THEN ${leadingZero} OR (${integer} AND NOT ${same}) END)`;
  });
  const [counts] = await database.rows(`SELECT ${changed.join(", ")} FROM ${relation.sql}`);
  return columns.filter(
    (column) => !floats.includes(column) || Number(counts![floats.indexOf(column)]) === 0,
  );
}
