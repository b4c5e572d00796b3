import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { PushforwardError } from "../../check/index.ts";
import { replaceFile, withTemporaryFile } from "../../files/index.ts";
import { copyToFile, type OutputColumn } from "./copy.ts";
import type { Chunks } from "./database.ts";
import { databaseError } from "./databaseError.ts";
import { type Format, outputFormat } from "./format.ts";
import type { Table } from "./table.ts";
import { writeToStream } from "./writeFields.ts";

/** Numbers that were computed for the rows of a table, in its order. */
interface ComputedNumbers {
  /** The subject of an error about them, such as "The scores". */
  readonly what: string;
  /** The number of numbers for each row. */
  readonly width: number;
  readonly chunks: Chunks;
}

/**
 * Writes a table together with numbers that were computed for its rows: to a path, in the format that belongs to its extension, or to a
 * stream, as CSV.
 *
 * `select` returns the columns of the output, in which the table is `original` and the numbers are `computed.c0`, `computed.c1`..., and
 * the SQL that reads the table.
 *
 * The output is written when it is complete. After any error, including one that `chunks` throws, a file at the path is unchanged, and a
 * stream has received nothing.
 *
 * @throws ARGUMENT if no format belongs to the extension, or if the numbers are not those of all rows; FILE if the file cannot be written,
 *   or if a file of the table has changed since it was opened.
 */
export async function writeJoined(
  table: Table,
  { what, width, chunks }: ComputedNumbers,
  destination: string | NodeJS.WritableStream,
  select: (format: Format) => Promise<{ columns: readonly OutputColumn[]; original: string }>,
): Promise<void> {
  if (typeof destination === "string") {
    const format = outputFormat(destination);
    await replaceFile(destination, (temporary) => writeTo(temporary, format));
    return;
  }
  // The stream must not get rows before all numbers are computed, so these are written to a temporary file first.
  await withTemporaryFile(tmpdir(), async (temporary) => {
    await writeTo(temporary, { name: "csv", gzip: false }).catch((error: unknown) => {
      throw error instanceof Error && error.message.includes(temporary)
        ? databaseError(error, table.source)
        : error;
    });
    await writeToStream(createReadStream(temporary), destination);
  });

  async function writeTo(path: string, format: Format): Promise<void> {
    const { columns, original } = await select(format);
    const rows = await table.database.createTable("computed", width, chunks);
    if (rows !== table.rows) {
      throw new PushforwardError("ARGUMENT", `${what} do not match the rows of ${table.source}`, {
        expected: `${table.rows}, one per row`,
        received: `${rows}`,
      });
    }
    const from = `${original} AS original POSITIONAL JOIN computed`;
    // The join reads the table again, so the table must not have changed since the numbers were computed.
    await copyToFile(table.database, columns, from, path, format).finally(() => table.checkUnchanged());
  }
}

export const isDelimited = ({ name }: Format): boolean => name === "csv" || name === "tsv";
