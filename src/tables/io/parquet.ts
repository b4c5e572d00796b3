import { checkColumnNames } from "./columnNames.ts";
import { type Database, stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import type { SourceFile } from "./sourceFile.ts";

/**
 * Returns the SQL that reads the files.
 *
 * @throws DATA if the names of two columns differ only in upper and lower case, since DuckDB would rename one.
 */
export async function parquetRelation(database: Database, files: readonly SourceFile[]): Promise<string> {
  const paths = `[${files.map(({ path }) => stringLiteral(exactPath(path))).join(", ")}]`;
  for (const { path, name } of files) {
    // The schema is a tree, listed depth first: the root, then its columns, each followed by the fields inside of it.
    const nodes = (await database.run(
      `SELECT name, coalesce(num_children, 0) FROM parquet_schema(${stringLiteral(exactPath(path))})`,
    )) as [string, string][];
    checkColumnNames(children(nodes), name, { hint: "Rename one of them." });
  }
  return `read_parquet(${paths}, union_by_name = true, hive_partitioning = false)`;
}

/** The names of the children of the root. `nodes` are those of a tree, depth first, with the number of children of each. */
function children(nodes: readonly (readonly [name: string, children: string])[]): string[] {
  const names: string[] = [];
  let next = 1;
  const skipSubtree = () => {
    for (let count = Number(nodes[next++]![1]); count > 0; count--) skipSubtree();
  };
  while (next < nodes.length) {
    names.push(nodes[next]![0]);
    skipSubtree();
  }
  return names;
}
