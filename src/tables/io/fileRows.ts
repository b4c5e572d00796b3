import type { Database } from "./database.ts";
import type { Relation } from "./relation.ts";

/** One of the files of a table, and the number of its rows. */
export interface FileRows {
  readonly name: string;
  readonly rows: number;
  /** The index of its first row among those of all files. */
  readonly first: number;
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
  const counted = await database.run(`SELECT ${virtual}, count(*) FROM ${sql} GROUP BY ALL`);
  const counts = new Map(counted.map(([file, rows]) => [String(file), Number(rows)]));
  const rowsOf = (path: string, i: number) => counts.get(virtual === "filename" ? path : String(i)) ?? 0;
  let first = 0;
  const located = files.map(({ name, path }, i) => {
    const file = { name, rows: rowsOf(path, i), first };
    first += file.rows;
    return file;
  });
  return { ...relation, files: located };
}

/** The file of a row of all files, and the number of the row there. */
export function fileRow(files: readonly FileRows[], row: number): FileRow {
  const { name, first } = files.findLast((file) => file.first < row)!;
  return { file: name, row: row - first };
}
