import { PushforwardError } from "../errors.ts";
import { replaceFile } from "./atomicFile.ts";
import { copyToFile, type OutputColumn, present } from "./copy.ts";
import { type Chunks, identifier } from "./database.ts";
import { type Format, outputFormat } from "./format.ts";
import type { Column, Table } from "./table.ts";

/** The column that scoring adds. */
export const LOG_DENSITY = "log_density";

/**
 * Writes the table with one more column, `log_density`, in the format that the ending of `path` names.
 *
 * `scores` gives one log-density per row of the table, in its order, in chunks of any size; NaN, for a row that could
 * not be scored, is written as a missing value. From CSV to CSV the original columns stay as they were written.
 * Infinite values are written as `Infinity` and `-Infinity` (strings in JSON, which has no numbers for them). The file
 * appears when it is complete; on any failure, one of `scores` too, what was at `path` stays.
 *
 * @throws ARGUMENT when the ending names no format or the number of scores is wrong; DATA when the table has a column
 *   `log_density` already; FILE when the file cannot be written.
 */
export async function writeScored(table: Table, scores: Chunks, path: string): Promise<void> {
  const format = outputFormat(path);
  const taken = table.columns.find(({ name }) => name.toLowerCase() === LOG_DENSITY);
  if (taken) {
    throw new PushforwardError("DATA", `${table.source} already has a column "${taken.name}"`, {
      mend: `Rename it, or leave it out with a query: "SELECT * EXCLUDE (${identifier(taken.name)}) FROM ..."`,
    });
  }
  await replaceFile(path, async (temporary) => {
    const scored = await table.database.createTable("scores", 1, scores);
    if (scored !== table.rows) {
      throw new PushforwardError("ARGUMENT", `The scores do not fit ${table.source}`, {
        expected: `${table.rows}, one per row`,
        received: `${scored}`,
      });
    }
    const columns = table.columns.map((column) => outputColumn(column, table, format));
    columns.push({ name: LOG_DENSITY, type: "DOUBLE", value: present("scores.c0") });
    const from = `${table.relation.sql} AS original POSITIONAL JOIN scores`;
    await copyToFile(table.database, columns, from, temporary, format);
  });
}

function outputColumn({ name, type }: Column, { relation }: Table, format: Format): OutputColumn {
  const value = `original.${identifier(name)}`;
  if (!relation.asText) return { name, type, value };
  if (format.name === "csv" || format.name === "tsv") return { name, type: "VARCHAR", value };
  return { name, type, value: `CAST(${value} AS ${type})` };
}
