import { type Database, quotedIdentifier } from "./database.ts";
import type { Format } from "./format.ts";

/** One column of an output: its name, and the SQL of its value with the type of that. */
export interface OutputColumn {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

/** A value in which NaN stands for a missing one, with NULL in its place. */
export const present = (value: string): string => `nullif(${value}, 'NaN')`;

/** Writes `columns` of the relation `from` to `path`, overwriting it. */
export async function copyToFile(
  database: Database,
  columns: readonly OutputColumn[],
  from: string,
  path: string,
  format: Format,
): Promise<void> {
  const select = columns.map((column) => `${inWordsOf(format, column)} AS ${quotedIdentifier(column.name)}`);
  const compression = format.gzip ? "COMPRESSION gzip" : "";
  const options = [KINDS[format.name], compression].filter(Boolean).join(", ");
  await database.copy(`SELECT ${select.join(", ")} FROM ${from}`, path, options);
}

const KINDS: Readonly<Record<Format["name"], string>> = {
  csv: "FORMAT csv, HEADER, DELIMITER ','",
  tsv: "FORMAT csv, HEADER, DELIMITER '\t'",
  json: "FORMAT json, ARRAY true",
  jsonl: "FORMAT json",
  parquet: "FORMAT parquet",
};

/** Text formats have no numbers that are not finite: CSV gets words that every reader knows, JSON the same as strings. */
function inWordsOf({ name }: Format, { type, value }: OutputColumn): string {
  if (name === "parquet" || (type !== "DOUBLE" && type !== "FLOAT")) return value;
  const json = name === "json" || name === "jsonl";
  const finite = json ? `to_json(${value})` : `CAST(${value} AS VARCHAR)`;
  const word = (text: string) => (json ? `CAST('"${text}"' AS JSON)` : `'${text}'`);
  return `CASE WHEN isfinite(${value}) THEN ${finite} WHEN isnan(${value}) THEN ${json ? "NULL" : word("NaN")} \
WHEN ${value} > 0 THEN ${word("Infinity")} WHEN ${value} < 0 THEN ${word("-Infinity")} END`;
}
