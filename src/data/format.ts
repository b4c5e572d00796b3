import { basename } from "node:path";
import { PushforwardError } from "../errors.ts";

export type FormatName = "csv" | "tsv" | "parquet" | "json" | "jsonl";

/** How a table is kept in a file. */
export interface Format {
  readonly name: FormatName;
  /** Whether the whole file is compressed by gzip (text formats only). */
  readonly gzip: boolean;
}

/** What users are told about formats. */
export const FORMATS = ".csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet";

const EXTENSIONS: Readonly<Record<string, FormatName>> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  parquet: "parquet",
  pq: "parquet",
  json: "json",
  jsonl: "jsonl",
  ndjson: "jsonl",
};

/** The format that the extension of `path` names, if it names one. */
export function formatOf(path: string): Format | undefined {
  const [, extension, gz] = /\.(\w+?)(\.gz)?$/.exec(basename(path).toLowerCase()) ?? [];
  const name = extension === undefined ? undefined : EXTENSIONS[extension];
  if (name === undefined || (name === "parquet" && gz)) return undefined;
  return { name, gzip: gz !== undefined };
}

/**
 * The format to write `path` in.
 *
 * @throws ARGUMENT when the extension names none.
 */
export function outputFormat(path: string): Format {
  const format = formatOf(path);
  if (format) return format;
  throw new PushforwardError("ARGUMENT", `The name ${path} does not say how to write the table`, {
    expected: `a name that ends in ${FORMATS}`,
    hint: "Give the output one of these endings.",
  });
}

/** The format that the first bytes of a file (decompressed) suggest, if they look like a table. */
export function formatOfContent(head: Buffer): FormatName | undefined {
  if (head.subarray(0, 4).toString("latin1") === "PAR1") return "parquet";
  if (head.includes(0) || /^(\xFF\xFE|\xFE\xFF)/.test(head.toString("latin1", 0, 2))) return undefined;
  const first = head
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart()[0];
  return first === "{" || first === "[" ? "json" : "csv";
}
