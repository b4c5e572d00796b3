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
 * The relation with the number of rows of each file, if there are several files, which `sql` reads in their order. A column of the table hides a
 * virtual column of DuckDB with the same name. So rows are counted by `filename` if the table has a column `file_index`, and not at all if it
 * has both.
 */
export async function withFileRows(
  database: Database,
  relation: Relation,
  sql: string,
  files: readonly { readonly name: string; readonly path: string }[],
): Promise<Relation> {
  const isHidden = (virtual: string) => relation.columns.some(({ name }) => name.toLowerCase() === virtual);
  const virtual = ["file_index", "filename"].find((name) => !isHidden(name));
  if (files.length === 1 || virtual === undefined) return relation;
  const counted = await database.rows(`SELECT ${virtual}, count(*) FROM ${sql} GROUP BY ALL`);
  const counts = new Map(counted.map(([file, rows]) => [String(file), Number(rows)]));
  const rowsOf = (path: string, i: number) => counts.get(virtual === "filename" ? path : String(i)) ?? 0;
  return { ...relation, files: files.map(({ name, path }, i) => ({ name, rows: rowsOf(path, i) })) };
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
