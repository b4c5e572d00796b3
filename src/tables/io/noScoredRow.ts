import { counted, PushforwardError } from "../../check/index.ts";
import type { UnlearnedValues } from "../columns/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import type { Table } from "./table.ts";

/**
 * The error for a table of which each row lacks a value that the model needs. The missing value of the first row is among `unlearned`, or in
 * one of the columns of numbers `names`.
 */
export async function noScoredRow(
  table: Table,
  { names = [], unlearned = [] }: { names?: readonly string[]; unlearned?: readonly UnlearnedValues[] },
): Promise<PushforwardError> {
  const { rows, source } = table;
  if (rows === 0) return noRows(table);
  const found = unlearned.find(({ kind, row }) => kind === "incomplete" && row === 1);
  const column = found?.column ?? (await firstMissing(table, names));
  return new PushforwardError("DATA", `no row of ${source} can be scored, because values are missing`, {
    expected: "a value in each column that had no missing values in training",
    received: `${counted(rows, "incomplete row")}; ${table.rowText(1)} has no value of "${column}"`,
    hint: "Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
  });
}

export const noRows = ({ source }: Table): PushforwardError =>
  new PushforwardError("DATA", `${source} has no rows`, { hint: "Give a table with rows below its header." });

/** The first of these columns of numbers that is missing in the first row. */
async function firstMissing(table: Table, names: readonly string[]): Promise<string | undefined> {
  const row = table.database.stream(names.map(quotedIdentifier), `(FROM ${table.relation.sql} LIMIT 1)`, 1);
  for await (const values of row) return names[values.findIndex(Number.isNaN)];
  return undefined;
}
