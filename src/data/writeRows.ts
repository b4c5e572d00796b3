import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { replaceFile } from "../files/atomicFile.ts";
import { readAhead } from "../readAhead.ts";
import { copyToFile, nanToNull } from "./copy.ts";
import { type Chunks, Database, quotedIdentifier, stringLiteral } from "./database.ts";
import { type Format, outputFormat } from "./format.ts";
import type { Labels } from "./labels.ts";

/**
 * Writes row-major chunks of numbers as a table with the columns `columns`.
 *
 * A path determines the format by its ending. The file is written atomically: after any error, including one that `chunks`
 * throws, the previous file is unchanged. A stream, by default standard output, gets CSV; a closed pipe is not an error. Every
 * float64 is written with all its digits, NaN as a missing value, and infinite values as `Infinity` and `-Infinity` (strings in
 * JSON). The numbers of columns in `labels` are written as their labels.
 *
 * @throws ARGUMENT if no format belongs to the ending; FILE if the file cannot be written.
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

/** Writes `source` to a stream. A closed pipe is not an error. */
export async function writeToStream(source: Readable, destination: NodeJS.WritableStream): Promise<void> {
  await pipeline(source, destination, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

/** The names of the columns, and the labels of some of them. */
interface Header {
  readonly columns: readonly string[];
  readonly labels: Labels;
}

async function copyRows(
  { columns, labels }: Header,
  chunks: Chunks,
  path: string,
  format: Format,
): Promise<void> {
  const database = await Database.open(path);
  try {
    await database.createTable("samples", columns.length, chunks);
    const outputs = columns.map((name, d) => {
      const value = `samples.c${d}`;
      const cases = labels.get(name)?.map((label, index) => `WHEN ${index} THEN ${stringLiteral(label)}`);
      return cases
        ? { name, type: "VARCHAR", value: `CASE ${value} ${cases.join(" ")} END` }
        : { name, type: "DOUBLE", value: nanToNull(value) };
    });
    await copyToFile(database, outputs, "samples", path, format);
  } finally {
    await database.close();
  }
}

/** The rows are written in pieces of about this many characters, so that memory does not grow with the table. */
const MAX_TEXT_LENGTH = 1 << 16;

/** Yields the header, then the rows, as delimited text. */
async function* delimitedText(
  { columns, labels }: Header,
  chunks: Chunks,
  delimiter: string,
): AsyncGenerator<string> {
  const quoted = (text: string) =>
    text === "" || text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text) ? quotedIdentifier(text) : text;
  const labelTexts = columns.map((name) => labels.get(name)?.map(quoted));
  yield `${columns.map(quoted).join(delimiter)}\n`;
  for await (const values of readAhead(chunks)) {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      const d = i % columns.length;
      text += labelTexts[d]?.[values[i]!] ?? shortestText(values[i]!);
      text += d + 1 === columns.length ? "\n" : delimiter;
      if (text.length > MAX_TEXT_LENGTH) {
        yield text;
        text = "";
      }
    }
    yield text;
  }
}

/** The shortest text that is parsed as the same float64; empty for NaN. */
const shortestText = (value: number): string =>
  Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : String(value);
