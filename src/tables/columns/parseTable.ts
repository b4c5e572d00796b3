import * as z from "zod/mini";
import { parse } from "../../check/index.ts";
import { featureNames, type TableColumn, tableColumnSchema } from "./tableColumn.ts";

/** The columns of a table with the names of their features. */
interface ParsedTable {
  readonly table: TableColumn[];
  readonly features: string[];
}

/** Checks the columns of a table in a model file. Throws `MODEL`. */
export function parseTable(columns: unknown): ParsedTable {
  const table = parse(z.array(tableColumnSchema), columns, "the table of the model's description", "MODEL");
  return { table, features: table.flatMap(featureNames) };
}
