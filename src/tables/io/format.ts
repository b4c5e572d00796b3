import { basename } from "node:path";
import { PushforwardError } from "../../check/index.ts";

export type FormatName = "csv" | "tsv" | "parquet" | "json" | "jsonl";

/** The file format of a table. */
export interface Format {
  readonly name: FormatName;
  /** Whether the file is compressed with gzip. Only text formats are. */
  readonly gzip: boolean;
}

/** The list of formats in messages. */
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

/** The format that belongs to the extension of `path`, if there is one. */
export function formatOf(path: string): Format | undefined {
  const [, extension, gz] = /\.(\w+?)(\.gz)?$/.exec(basename(path).toLowerCase()) ?? [];
  const name = extension === undefined ? undefined : EXTENSIONS[extension];
  if (name === undefined || (name === "parquet" && gz)) return undefined;
  return { name, gzip: gz !== undefined };
}

/**
 * The format of the output file `path`.
 *
 * @throws ARGUMENT if no format belongs to its extension.
 */
export function outputFormat(path: string): Format {
  const format = formatOf(path);
  if (format) return format;
  throw new PushforwardError("ARGUMENT", `No table format belongs to the name ${path}`, {
    expected: `a name that ends in ${FORMATS}`,
    hint: "Use a name with one of these extensions.",
  });
}

/** Detects the format from the first bytes of a decompressed file. Undefined for binary data and UTF-16. */
export function formatOfContent(head: Buffer): FormatName | undefined {
  if (head.subarray(0, 4).toString("latin1") === "PAR1") return "parquet";
  if (head.includes(0) || /^(\xFF\xFE|\xFE\xFF)/.test(head.toString("latin1", 0, 2))) return undefined;
  const first = head
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart()[0];
  return first === "{" || first === "[" ? "json" : "csv";
}
