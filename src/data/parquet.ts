import { checkColumnNames } from "./columnNames.ts";
import { type Database, stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import type { SourceFile } from "./sourceFile.ts";

/**
 * The files as DuckDB reads them.
 *
 * @throws DATA when two columns differ only in upper and lower case, which DuckDB would rename.
 */
export async function parquetRelation(database: Database, files: readonly SourceFile[]): Promise<string> {
  const paths = `[${files.map(({ path }) => stringLiteral(exactPath(path))).join(", ")}]`;
  for (const { path, name } of files) {
    // The root comes first and tells how many columns follow, between which those within structures stand.
    const nodes = (await database.rows(
      `SELECT name, coalesce(num_children, 0) FROM parquet_schema(${stringLiteral(exactPath(path))})`,
    )) as [string, string][];
    checkColumnNames(children(nodes), name, { hint: "Rename one of them." });
  }
  return `read_parquet(${paths}, union_by_name = true, hive_partitioning = false)`;
}

/** The names of the root's children in a tree that is listed depth first. */
function children(nodes: readonly (readonly [name: string, children: string])[]): string[] {
  const names: string[] = [];
  let next = 1;
  const skip = () => {
    for (let left = Number(nodes[next++]![1]); left > 0; left--) skip();
  };
  while (next < nodes.length) {
    names.push(nodes[next]![0]);
    skip();
  }
  return names;
}
