import type { Database } from "./database.ts";
import type { Relation } from "./relation.ts";

/** One of the files of a table, and the number of its rows. */
export interface FileRows {
  readonly name: string;
  readonly rows: number;
}

/** A row of a file, counted from 1. */
export interface FileRow {
  readonly file: string;
  readonly row: number;
}

/**
 * The relation with the number of rows of each file, if there are several files, which `sql` reads in their order. A column `file_index` hides
 * the virtual column of DuckDB with the index of the file; the rows are then not counted.
 */
export async function withFileRows(
  database: Database,
  relation: Relation,
  sql: string,
  files: readonly { readonly name: string }[],
): Promise<Relation> {
  if (files.length === 1 || relation.columns.some(({ name }) => name.toLowerCase() === "file_index"))
    return relation;
  const counted = await database.rows(`SELECT file_index, count(*) FROM ${sql} GROUP BY file_index`);
  const counts = new Map(counted.map(([index, rows]) => [Number(index), Number(rows)]));
  return { ...relation, files: files.map(({ name }, i) => ({ name, rows: counts.get(i) ?? 0 })) };
}

/** The file of a row of all files, and the number of the row there. */
export function fileRow(files: readonly FileRows[], row: number): FileRow {
  let first = 1;
  for (const { name, rows } of files) {
    if (row < first + rows) return { file: name, row: row - first + 1 };
    first += rows;
  }
  throw new RangeError(`the files have no row ${row}`);
}
