import { readFile, rm } from "node:fs/promises";
import { quotedIdentifier } from "../options/index.ts";
import { copyToFile } from "./copy.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { isoText } from "./valueExpressions.ts";

/**
 * At most `maxRows` rows of a table as CSV, evenly spaced: C of T rows are those with the indices floor(i T / C). Dates begin with the
 * year.
 */
export async function csvSample(table: Table, maxRows: number): Promise<Uint8Array<ArrayBuffer>> {
  const { database, relation } = table;
  const [T, C] = [table.rows, Math.min(maxRows, table.rows)];
  const columns = table.columns.map((column) => ({
    name: column.name,
    // The values of a text file are text.
    type: relation.text === undefined ? column.type : "VARCHAR",
    value: textOrValue(column),
  }));
  // Row r, counted from 1, is chosen if a multiple of T is at least (r - 1) C and below r C.
  const rows = `(FROM ${relation.sql} QUALIFY (((row_number() OVER () - 1) * ${C} + ${T - 1}) // ${T}) * ${T} < row_number() OVER () * ${C})`;
  const path = await database.temporaryFile();
  try {
    await copyToFile(database, columns, rows, path, { name: "csv", gzip: false });
    return Uint8Array.from(await readFile(path));
  } finally {
    await rm(path, { force: true });
  }
}

/** The SQL of a value, which has the year first if it is a date of a text file. Its other values are written as they are. */
function textOrValue(column: Column): string {
  const value = quotedIdentifier(column.name);
  return column.dateOrder === undefined || column.dateOrder === "ambiguous" ? value : isoText(value, column);
}
