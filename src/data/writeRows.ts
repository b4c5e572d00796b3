import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { readAhead } from "../readAhead.ts";
import { replaceFile } from "./atomicFile.ts";
import { copyToFile, present } from "./copy.ts";
import { type Chunks, Database, identifier } from "./database.ts";
import { type Format, outputFormat } from "./format.ts";

/**
 * Writes rows of numbers, given as row-major chunks, under the names `columns`.
 *
 * To a path, in the format that its ending names; the file appears when it is complete, and on any failure, one of
 * `chunks` too, what was there before stays. To a stream (standard output if nothing is given), as CSV; that the reader
 * of a pipe has gone away is no error. Every float64 reads back as it was; NaN is written as a missing value, infinite
 * values as `Infinity` and `-Infinity` (strings in JSON).
 *
 * @throws ARGUMENT when the ending names no format; FILE when the file cannot be written.
 */
export async function writeRows(
  columns: readonly string[],
  chunks: Chunks,
  destination: string | NodeJS.WritableStream = process.stdout,
): Promise<void> {
  if (typeof destination !== "string") {
    const text = Readable.from(delimitedText(columns, chunks, ","));
    await pipeline(text, destination, { end: false }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
    return;
  }
  const format = outputFormat(destination);
  await replaceFile(destination, async (temporary) => {
    if (format.name !== "csv" && format.name !== "tsv") return copyRows(columns, chunks, temporary, format);
    const text = Readable.from(delimitedText(columns, chunks, format.name === "tsv" ? "\t" : ","));
    const file = createWriteStream(temporary);
    return format.gzip ? pipeline(text, createGzip(), file) : pipeline(text, file);
  });
}

async function copyRows(
  columns: readonly string[],
  chunks: Chunks,
  path: string,
  format: Format,
): Promise<void> {
  const database = await Database.open(path);
  try {
    await database.createTable("samples", columns.length, chunks);
    const outputs = columns.map((name, d) => ({ name, type: "DOUBLE", value: present(`samples.c${d}`) }));
    await copyToFile(database, outputs, "samples", path, format);
  } finally {
    await database.close();
  }
}

/** How many characters are given on at a time. */
const PIECE = 1 << 16;

/** The header, then the rows in pieces. */
async function* delimitedText(
  columns: readonly string[],
  chunks: Chunks,
  delimiter: string,
): AsyncGenerator<string> {
  const quoted = columns.map((name) =>
    name === "" || name.includes(delimiter) || /["\r\n]|^\s|\s$/.test(name) ? identifier(name) : name,
  );
  yield `${quoted.join(delimiter)}\n`;
  for await (const values of readAhead(chunks)) {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      text += shortestText(values[i]!) + ((i + 1) % columns.length === 0 ? "\n" : delimiter);
      if (text.length > PIECE) {
        yield text;
        text = "";
      }
    }
    yield text;
  }
}

/** The shortest text that reads back as the same float64, none for NaN. */
const shortestText = (value: number): string =>
  Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : String(value);
