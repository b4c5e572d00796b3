import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Reads a file, and decompresses it if its name ends in .gz. */
export function readBytes(...path: string[]): Uint8Array {
  const bytes = readFileSync(join(...path));
  return path.at(-1)!.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export const readText = (...path: string[]): string => new TextDecoder().decode(readBytes(...path));

/** The columns of a CSV file by name, as strings. */
export function readColumns(...path: string[]): Map<string, string[]> {
  const [header, ...lines] = readText(...path)
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(",").map((cell) => cell.replaceAll('"', "")));
  return new Map(header.map((name, i) => [name, lines.map((line) => line[i])]));
}

/** Converts columns of strings to rows of numbers: [rows, columns]. */
export function numbers(columns: readonly (readonly string[])[]): Float64Array {
  const values = new Float64Array(columns.length * columns[0].length);
  columns.forEach((column, c) => {
    column.forEach((cell, r) => {
      values[r * columns.length + c] = Number(cell);
    });
  });
  if (values.some(Number.isNaN)) throw new Error("A cell of the file is not a number.");
  return values;
}
