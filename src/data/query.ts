import { existsSync } from "node:fs";
import { shellQuoted } from "./columnList.ts";
import { identifier, literal } from "./database.ts";
import type { FormatName } from "./format.ts";
import { exactPath } from "./locate.ts";

/** File name endings from which DuckDB detects the format. */
const DETECTED = /\.((csv|tsv|json|jsonl|ndjson)(\.gz)?|parquet)$/i;

const FUNCTIONS: Readonly<Record<FormatName, string>> = {
  csv: "read_csv",
  tsv: "read_csv",
  json: "read_json",
  jsonl: "read_json",
  parquet: "read_parquet",
};

/** The SQL that reads files, or all files that match patterns. */
export function tableInQuery(
  paths: readonly string[],
  format: FormatName,
  options: readonly string[] = [],
): string {
  const literals = paths.map((path) => literal(existsSync(path) ? exactPath(path) : path));
  const source = literals.length === 1 ? literals[0]! : `[${literals.join(", ")}]`;
  if (options.length === 0 && paths.length === 1 && DETECTED.test(paths[0]!)) return source;
  return `${FUNCTIONS[format]}(${[source, ...options].join(", ")})`;
}

/** Words that must be quoted to be names in DuckDB's SQL. */
const RESERVED =
  /^(all|analy[sz]e|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|constraint|create|default|deferrable|desc|describe|distinct|do|else|end|except|false|fetch|for|foreign|from|group|having|in|initially|intersect|into|lambda|lateral|leading|limit|not|null|offset|on|only|or|order|pivot|pivot_longer|pivot_wider|placing|primary|qualify|references|returning|select|show|some|summarize|symmetric|table|then|to|trailing|true|union|unique|unpivot|using|variadic|when|where|window|with)$/i;

/** The name of a column in a query, quoted where need be. */
export const nameInQuery = (name: string): string =>
  /^[a-z_]\w*$/i.test(name) && !RESERVED.test(name) ? name : identifier(name);

/** A query as one word of a POSIX shell, in double quotes where these change nothing in it. */
export const quotedQuery = (query: string): string =>
  /["$`\\!]/.test(query) ? shellQuoted(query) : `"${query}"`;
