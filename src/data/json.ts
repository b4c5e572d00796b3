import { PushforwardError } from "../errors.ts";
import { checkColumnNames } from "./columnNames.ts";
import { type Database, stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import type { SourceFile } from "./sourceFile.ts";

/**
 * The files as DuckDB reads them, with types that hold for all rows.
 *
 * @throws DATA when two keys differ only in upper and lower case, or one is empty, which DuckDB would rename.
 */
export async function jsonRelation(database: Database, files: readonly SourceFile[]): Promise<string> {
  const paths = `[${files.map(({ path }) => stringLiteral(exactPath(path))).join(", ")}]`;
  const layout = files.every(({ format }) => format === "jsonl") ? "newline_delimited" : "auto";
  const options = `format = '${layout}'${files[0]!.gzip ? ", compression = 'gzip'" : ""}`;

  const keysOfRows = `(SELECT json_keys(json) AS keys FROM read_json_objects(${paths}, ${options}))`;
  const keys = (await database.rows(
    `SELECT key, bool_or(repeats) FROM (
      SELECT unnest(keys) AS key, len(keys) <> len(list_distinct(keys)) AS repeats FROM ${keysOfRows})
    GROUP BY key ORDER BY key`,
  )) as [string, boolean][];
  const names = keys.map(([key]) => key);
  if (keys.some(([, repeats]) => repeats)) {
    const [[row]] = (await database.rows(
      `SELECT keys FROM ${keysOfRows} WHERE len(keys) <> len(list_distinct(keys)) LIMIT 1`,
    )) as [[string[]]];
    const repeated = row.find((key, i) => row.indexOf(key) < i);
    throw new PushforwardError("DATA", `${database.source} has an object with the key "${repeated}" twice`, {
      hint: "Rename or remove one of the two.",
    });
  }
  if (names.includes("")) {
    throw new PushforwardError("DATA", `${database.source} has a key without a name`, {
      hint: 'Rename the key "".',
    });
  }
  checkColumnNames(names, database.source, { hint: "Rename one of these keys.", ordered: false });

  // A table of many columns is no map from keys to values, and no file is too many.
  const reading = `${options}, records = true, hive_partitioning = false, map_inference_threshold = -1`;
  const sniffed = (await database.rows(
    `DESCRIBE FROM read_json(${paths}, ${reading}, sample_size = -1, maximum_sample_files = ${files.length})`,
  )) as string[][];
  // JSON has no dates: what DuckDB takes for one is a text, which it would write back in another form.
  const types = sniffed
    .map(
      ([name, type]) =>
        `${stringLiteral(name!)}: ${stringLiteral(type!.replace(/^(DATE|TIME|UUID).*/, "VARCHAR"))}`,
    )
    .join(", ");
  return `read_json(${paths}, ${reading}, columns = {${types}})`;
}
