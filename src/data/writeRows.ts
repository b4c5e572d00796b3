import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { replaceFile } from "../files/atomicFile.ts";
import { readAhead } from "../readAhead.ts";
import { copyToFile, present } from "./copy.ts";
import { type Chunks, Database, quotedIdentifier, stringLiteral } from "./database.ts";
import { type Format, outputFormat } from "./format.ts";
import type { Labels } from "./labels.ts";

/**
 * Writes rows of numbers, given as row-major chunks, under the names `columns`.
 *
 * To a path, in the format that its ending names; the file appears when it is complete, and on any failure, one of
 * `chunks` too, what was there before stays. To a stream (standard output if nothing is given), as CSV; that the reader
 * of a pipe has gone away is no error. Every float64 reads back as it was; NaN is written as a missing value, infinite
 * values as `Infinity` and `-Infinity` (strings in JSON). The numbers of columns that have `labels` are written as these.
 *
 * @throws ARGUMENT when the ending names no format; FILE when the file cannot be written.
 */
export async function writeRows(
  columns: readonly string[],
  chunks: Chunks,
  destination: string | NodeJS.WritableStream = process.stdout,
  { labels = new Map() }: { labels?: Labels } = {},
): Promise<void> {
  const text = (delimiter: string) => Readable.from(delimitedText({ columns, labels }, chunks, delimiter));
  if (typeof destination !== "string") {
    return writeToStream(text(","), destination);
  }
  const format = outputFormat(destination);
  await replaceFile(destination, async (temporary) => {
    if (format.name !== "csv" && format.name !== "tsv")
      return copyRows({ columns, labels }, chunks, temporary, format);
    const rows = text(format.name === "tsv" ? "\t" : ",");
    const file = createWriteStream(temporary);
    return format.gzip ? pipeline(rows, createGzip(), file) : pipeline(rows, file);
  });
}

/** Writes all of `source`; that the reader of a pipe has gone away is no error. */
export async function writeToStream(source: Readable, destination: NodeJS.WritableStream): Promise<void> {
  await pipeline(source, destination, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

interface Heading {
  readonly columns: readonly string[];
  readonly labels: Labels;
}

async function copyRows(
  { columns, labels }: Heading,
  chunks: Chunks,
  path: string,
  format: Format,
): Promise<void> {
  const database = await Database.open(path);
  try {
    await database.createTable("samples", columns.length, chunks);
    const outputs = columns.map((name, d) => {
      const value = `samples.c${d}`;
      const places = labels.get(name)?.map((label, place) => `WHEN ${place} THEN ${stringLiteral(label)}`);
      return places
        ? { name, type: "VARCHAR", value: `CASE ${value} ${places.join(" ")} END` }
        : { name, type: "DOUBLE", value: present(value) };
    });
    await copyToFile(database, outputs, "samples", path, format);
  } finally {
    await database.close();
  }
}

/** How many characters are given on at a time. */
const PIECE = 1 << 16;

/** The header, then the rows in pieces. */
async function* delimitedText(
  { columns, labels }: Heading,
  chunks: Chunks,
  delimiter: string,
): AsyncGenerator<string> {
  const quoted = (text: string) =>
    text === "" || text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text) ? quotedIdentifier(text) : text;
  const words = columns.map((name) => labels.get(name)?.map(quoted));
  yield `${columns.map(quoted).join(delimiter)}\n`;
  for await (const values of readAhead(chunks)) {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      const d = i % columns.length;
      text += words[d]?.[values[i]!] ?? shortestText(values[i]!);
      text += d + 1 === columns.length ? "\n" : delimiter;
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
