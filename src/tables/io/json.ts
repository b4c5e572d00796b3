import { PushforwardError } from "../../check/index.ts";
import { checkColumnNames } from "./columnNames.ts";
import { type Database, stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import type { SourceFile } from "./sourceFile.ts";

/**
 * Returns the SQL that reads the files, with types that fit all rows.
 *
 * @throws DATA if keys differ only in upper and lower case, or a key is empty or repeated, since DuckDB would rename or drop
 * columns.
 */
export async function jsonRelation(database: Database, files: readonly SourceFile[]): Promise<string> {
  const paths = `[${files.map(({ path }) => stringLiteral(exactPath(path))).join(", ")}]`;
  const layout = files.every(({ format }) => format === "jsonl") ? "newline_delimited" : "auto";
  const options = `format = '${layout}'${files[0]!.gzip ? ", compression = 'gzip'" : ""}`;

  const keysOfRows = `(SELECT json_keys(json) AS keys FROM read_json_objects(${paths}, ${options}))`;
  const keys = (await database.run(
    `SELECT key, bool_or(repeats) FROM (
      SELECT unnest(keys) AS key, len(keys) <> len(list_distinct(keys)) AS repeats FROM ${keysOfRows})
    GROUP BY key ORDER BY key`,
  )) as [string, boolean][];
  const names = keys.map(([key]) => key);
  if (keys.some(([, repeats]) => repeats)) {
    const [[row]] = (await database.run(
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

  // Without these options DuckDB would read an object with many keys as a map, and infer types from the first files only.
  const reading = `${options}, records = true, hive_partitioning = false, map_inference_threshold = -1`;
  const inferred = (await database.run(
    `DESCRIBE FROM read_json(${paths}, ${reading}, sample_size = -1, maximum_sample_files = ${files.length})`,
  )) as string[][];
  // JSON has no dates: DuckDB would convert text that looks like one, and write it back in another form.
  const types = inferred
    .map(
      ([name, type]) =>
        `${stringLiteral(name!)}: ${stringLiteral(type!.replace(/^(DATE|TIME|UUID)[^[]*/, "VARCHAR"))}`,
    )
    .join(", ");
  return `read_json(${paths}, ${reading}, columns = {${types}})`;
}
