import { readFile, rm } from "node:fs/promises";
import { copyToFile } from "./copy.ts";
import { quotedIdentifier } from "./database.ts";
import type { Table } from "./table.ts";

/** At most `maxRows` rows of a table as CSV, evenly spaced. */
export async function csvSample(table: Table, maxRows: number): Promise<Uint8Array<ArrayBuffer>> {
  const { database, relation } = table;
  const stride = Math.max(1, Math.ceil(table.rows / maxRows));
  const columns = table.columns.map(({ name, type }) => ({ name, type, value: quotedIdentifier(name) }));
  const rows = `(FROM ${relation.sql} QUALIFY (row_number() OVER () - 1) % ${stride} = 0)`;
  const path = await database.temporaryFile();
  try {
    await copyToFile(database, columns, rows, path, { name: "csv", gzip: false });
    return Uint8Array.from(await readFile(path));
  } finally {
    await rm(path, { force: true });
  }
}
