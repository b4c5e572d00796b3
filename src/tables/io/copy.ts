import { quotedIdentifier } from "../options/index.ts";
import type { Database } from "./database.ts";
import type { Format } from "./format.ts";

/** A column of an output file: its name, the SQL expression of its values, and their type. */
export interface OutputColumn {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

/** Replaces NaN, which represents missing values here, by NULL. */
export const nanToNull = (value: string): string => `nullif(${value}, 'NaN')`;

/** Writes `columns` of the relation `from` to the file `path`, which is overwritten. */
export async function copyToFile(
  database: Database,
  columns: readonly OutputColumn[],
  from: string,
  path: string,
  format: Format,
): Promise<void> {
  const select = columns.map(
    (column) => `${finiteOrText(format, column)} AS ${quotedIdentifier(column.name)}`,
  );
  const compression = format.gzip ? "COMPRESSION gzip" : "";
  const options = [COPY_OPTIONS[format.name], compression].filter(Boolean).join(", ");
  await database.copy(`SELECT ${select.join(", ")} FROM ${from}`, path, options);
}

const COPY_OPTIONS: Readonly<Record<Format["name"], string>> = {
  csv: "FORMAT csv, HEADER, DELIMITER ','",
  tsv: "FORMAT csv, HEADER, DELIMITER '\t'",
  json: "FORMAT json, ARRAY true",
  jsonl: "FORMAT json",
  parquet: "FORMAT parquet",
};

/**
 * The SQL of a value in a file. The text formats have no NaN and no infinite numbers: these become text (in JSON strings), but NaN becomes
 * null in JSON.
 */
function finiteOrText({ name }: Format, { type, value }: OutputColumn): string {
  if (name === "parquet" || (type !== "DOUBLE" && type !== "FLOAT")) return value;
  const json = name === "json" || name === "jsonl";
  const finite = json ? `to_json(${value})` : `CAST(${value} AS VARCHAR)`;
  const word = (text: string) => (json ? `CAST('"${text}"' AS JSON)` : `'${text}'`);
  return `CASE WHEN isfinite(${value}) THEN ${finite} WHEN isnan(${value}) THEN ${json ? "NULL" : word("NaN")} \
WHEN ${value} > 0 THEN ${word("Infinity")} WHEN ${value} < 0 THEN ${word("-Infinity")} END`;
}
