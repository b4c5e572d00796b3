import { anyValue, checkOptions } from "../../check/index.ts";
import { nanToNull } from "./copy.ts";
import { type Chunks, textLiteral } from "./database.ts";
import type { Labels } from "./labels.ts";
import { type OutputField, writeFields } from "./writeFields.ts";

/**
 * Writes row-major chunks of numbers as a table with the columns `columns`.
 *
 * The extension of a path determines the format. The file is written atomically: after any error, including one that `chunks`
 * throws, the previous file is unchanged. A stream, by default standard output, gets CSV; a closed pipe is not an error. Every
 * float64 is written with all its digits, NaN as a missing value, and infinite values as `Infinity` and `-Infinity` (strings in
 * JSON). The numbers of columns in `labels` are written as their labels.
 *
 * @throws ARGUMENT if no format belongs to the extension; FILE if the file cannot be written.
 */
export async function writeRows(
  columns: readonly string[],
  chunks: Chunks,
  destination: string | NodeJS.WritableStream = process.stdout,
  options: { labels?: Labels } = {},
): Promise<void> {
  checkOptions("writeRows", options, { labels: anyValue });
  const { labels = new Map() } = options;
  await writeFields(
    columns.map((name) => numberField(name, labels.get(name))),
    chunks,
    destination,
  );
}

/** A column of numbers, or of the labels that they are indices of. */
export const numberField = (name: string, labels?: readonly string[]): OutputField =>
  labels
    ? { name, labels, text: shortestText, type: "VARCHAR", sql: (index) => labelAt(labels, index) }
    : { name, text: shortestText, type: "DOUBLE", sql: nanToNull };

/** The SQL of the label with an index of the type DOUBLE. */
export const labelAt = (labels: readonly string[], index: string): string =>
  // NaN becomes NULL first, because the cast of NaN would be an error.
  `([${labels.map(textLiteral).join(", ")}])[CAST(${nanToNull(index)} AS BIGINT) + 1]`;

/** The shortest text that is parsed as the same float64; empty for NaN. */
const shortestText = (value: number): string =>
  Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : String(value);
