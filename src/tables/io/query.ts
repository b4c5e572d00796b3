// Writes the SQL in hints, such as: pushforward fit "FROM 'data.csv' WHERE x < 9". A command takes a query in place of a file, and DuckDB
// runs it. Users copy these queries into a shell, so they are short and quoted.

import { existsSync } from "node:fs";
import { shellQuoted } from "../../check/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { stringLiteral } from "./database.ts";
import type { FormatName } from "./format.ts";
import { exactPath } from "./locate.ts";

/** A path with one of these extensions is a table in DuckDB's SQL: DuckDB chooses the function that reads it. */
const DETECTED_EXTENSION = /\.((csv|tsv|json|jsonl|ndjson)(\.gz)?|parquet)$/i;

/** The function of DuckDB that reads each format. */
const READ_FUNCTIONS: Readonly<Record<FormatName, string>> = {
  csv: "read_csv",
  tsv: "read_csv",
  json: "read_json",
  jsonl: "read_json",
  parquet: "read_parquet",
};

/**
 * The SQL that reads files as one table, for a FROM clause: `'data.csv'` or `read_csv(['a.csv', 'b.csv'], header = true)`.
 *
 * A path may be a pattern, such as `data-*.csv`, for all files that match. `options` are options of DuckDB's function.
 */
export function tableExpression(
  paths: readonly string[],
  format: FormatName,
  options: readonly string[] = [],
): string {
  // A file that exists may have * or ? in its name, which DuckDB would take for a pattern.
  const literals = paths.map((path) => stringLiteral(existsSync(path) ? exactPath(path) : path));
  const source = literals.length === 1 ? literals[0]! : `[${literals.join(", ")}]`;
  if (options.length === 0 && paths.length === 1 && DETECTED_EXTENSION.test(paths[0]!)) return source;
  return `${READ_FUNCTIONS[format]}(${[source, ...options].join(", ")})`;
}

/** One part of a query: a string, a quoted name, a comment, or any other character. */
const TOKEN =
  /(?<!\w)e'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|\$(\w*)\$.*?\$\1\$|--[^\r\n]*|\/\*.*?\*\/|./gis;

/** A query in parentheses, without the comments and the semicolon at its end, which a query in a FROM clause cannot have. */
export function subquery(query: string): string {
  let end = 0;
  for (const { 0: token, index } of query.matchAll(TOKEN))
    if (!/^(\s|;|--|\/\*)/.test(token)) end = index + token.length;
  return `(${query.slice(0, end).trimStart()})`;
}

/**
 * Words that name a column in DuckDB's SQL only in quotes: those of the categories "reserved" and "type_function" in its table
 * `duckdb_keywords()`, version 1.5.
 */
const RESERVED =
  /^(all|analy[sz]e|and|anti|any|array|as|asc|asof|asymmetric|at|authorization|binary|both|by|case|cast|check|collate|collation|column|columns|concurrently|constraint|create|cross|default|deferrable|desc|describe|distinct|do|else|end|except|false|fetch|for|foreign|freeze|from|full|generated|glob|group|having|ilike|in|initially|inner|intersect|into|is|isnull|join|lambda|lateral|leading|left|like|limit|map|natural|not|notnull|null|offset|on|only|or|order|outer|overlaps|pivot|pivot_longer|pivot_wider|placing|positional|primary|qualify|references|returning|right|select|semi|show|similar|some|struct|summarize|symmetric|table|tablesample|then|to|trailing|true|try_cast|union|unique|unpack|unpivot|using|variadic|verbose|when|where|window|with)$/i;

/** A column name in SQL, in quotes only if SQL needs them, which makes hints easier to read. */
export const quotedIfNeeded = (name: string): string =>
  /^[a-z_]\w*$/i.test(name) && !RESERVED.test(name) ? name : quotedIdentifier(name);

/**
 * A query as one word of a POSIX shell. Queries contain single quotes around paths and texts, so double quotes are easier to
 * read; single quotes are used where the shell would replace or end something in double quotes, as `$` and `"` do.
 */
export const shellQuotedQuery = (query: string): string =>
  /["$`\\!]/.test(query) ? shellQuoted(query) : `"${query}"`;
