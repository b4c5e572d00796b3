import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { readAhead } from "../../dataset/index.ts";
import { replaceFile } from "../../files/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { copyToFile } from "./copy.ts";
import { type Chunks, Database } from "./database.ts";
import { type Format, outputFormat } from "./format.ts";

/** A column of an output, and how its numbers are written. */
export interface OutputField {
  readonly name: string;
  /** The labels that the numbers 0, 1, ... of a column stand for. */
  readonly labels?: readonly string[];
  /** A number as text, for columns without labels: empty for a missing value. */
  text(value: number): string;
  /** DuckDB's type of the values. */
  readonly type: string;
  /** Returns the SQL of a value. `number` is the SQL of the number that encodes it: a DOUBLE, NaN for a missing value. */
  sql(number: string): string;
}

/**
 * Writes row-major chunks of numbers, one for each field, as a table.
 *
 * The extension of a path determines the format. The file is written atomically: after any error, including one that `chunks`
 * throws, the previous file is unchanged. A stream gets CSV; a closed pipe is not an error.
 *
 * @throws ARGUMENT if no format belongs to the extension; FILE if the file cannot be written.
 */
export async function writeFields(
  fields: readonly OutputField[],
  chunks: Chunks,
  destination: string | NodeJS.WritableStream,
): Promise<void> {
  const text = (delimiter: string) => Readable.from(delimitedText(fields, chunks, delimiter));
  if (typeof destination !== "string") return writeToStream(text(","), destination);
  const format = outputFormat(destination);
  await replaceFile(destination, async (temporary) => {
    if (format.name !== "csv" && format.name !== "tsv")
      return writeWithDuckDB(fields, chunks, temporary, format);
    const rows = text(format.name === "tsv" ? "\t" : ",");
    const file = createWriteStream(temporary);
    return format.gzip ? pipeline(rows, createGzip(), file) : pipeline(rows, file);
  });
}

/** Writes `source` to a stream. A closed pipe is not an error. */
export async function writeToStream(source: Readable, destination: NodeJS.WritableStream): Promise<void> {
  await pipeline(source, destination, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

async function writeWithDuckDB(
  fields: readonly OutputField[],
  chunks: Chunks,
  path: string,
  format: Format,
): Promise<void> {
  const database = await Database.open(path);
  try {
    await database.prepareForColumns(fields.length);
    await database.createTable("samples", fields.length, chunks);
    const outputs = fields.map(({ name, type, sql }, d) => ({ name, type, value: sql(`samples.c${d}`) }));
    await copyToFile(database, outputs, "samples", path, format);
  } finally {
    await database.close();
  }
}

/** Rows are joined to texts of about this many characters, so that memory does not grow with the table. */
const MAX_TEXT_LENGTH = 1 << 16;

/** Yields the header, then the rows, as delimited text. */
async function* delimitedText(
  fields: readonly OutputField[],
  chunks: Chunks,
  delimiter: string,
): AsyncGenerator<string> {
  const quoted = (text: string) =>
    text === "" || text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text) ? quotedIdentifier(text) : text;
  const labelTexts = fields.map(({ labels }) => labels?.map(quoted));
  // Most readers skip empty lines, so the rows after one would be taken for earlier rows.
  const missing = fields.length === 1 ? '""' : "";
  yield `${fields.map(({ name }) => quoted(name)).join(delimiter)}\n`;
  for await (const values of readAhead(chunks)) {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      const d = i % fields.length;
      text += (labelTexts[d]?.[values[i]!] ?? fields[d]!.text(values[i]!)) || missing;
      text += d + 1 === fields.length ? "\n" : delimiter;
      if (text.length > MAX_TEXT_LENGTH) {
        yield text;
        text = "";
      }
    }
    yield text;
  }
}
