import type { OutputColumn } from "./copy.ts";
import { textLiteral } from "./database.ts";
import type { FileRows } from "./fileRows.ts";
import type { Table } from "./table.ts";

/**
 * The columns `file` and `file_row` in what `writeJoined` writes: the file of each row, and the number of the row in this file, counted from 1.
 * Only a table of several files has them.
 */
export function fileColumns({ relation: { files } }: Table): OutputColumn[] {
  if (!files) return [];
  return [
    { name: "file", type: "VARCHAR", value: ofFile(files, ({ name }) => textLiteral(name)) },
    {
      name: "file_row",
      type: "BIGINT",
      value: `computed.rowid + 1 - ${ofFile(files, ({ first }) => `${first}`)}`,
    },
  ];
}

/** SQL that returns `value` of the file of each row. It is a binary search, because there may be thousands of files. */
function ofFile(files: readonly FileRows[], value: (file: FileRows) => string): string {
  if (files.length === 1) return value(files[0]!);
  const middle = files.length >> 1;
  const [before, after] = [files.slice(0, middle), files.slice(middle)];
  return `CASE WHEN computed.rowid < ${after[0]!.first} THEN ${ofFile(before, value)} ELSE ${ofFile(after, value)} END`;
}
