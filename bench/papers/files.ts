import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** The bytes of a file of the data directory, unpacked if its name says gzip. */
export function readBytes(...path: string[]): Uint8Array {
  const bytes = readFileSync(join(...path));
  return path.at(-1)!.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export const readText = (...path: string[]): string => new TextDecoder().decode(readBytes(...path));

/** The columns of a CSV file by name, as they stand. */
export function readColumns(...path: string[]): Map<string, string[]> {
  const [header, ...lines] = readText(...path)
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(",").map((cell) => cell.replaceAll('"', "")));
  return new Map(header.map((name, i) => [name, lines.map((line) => line[i])]));
}

/** Columns of numbers side by side, as rows: [rows, columns]. */
export function numbers(columns: readonly (readonly string[])[]): Float64Array {
  const values = new Float64Array(columns.length * columns[0].length);
  columns.forEach((column, c) => {
    column.forEach((cell, r) => {
      values[r * columns.length + c] = Number(cell);
    });
  });
  if (values.some(Number.isNaN)) throw new Error("A cell of the file is no number.");
  return values;
}
