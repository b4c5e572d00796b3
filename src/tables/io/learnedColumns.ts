import { PushforwardError } from "../../check/index.ts";
import { columnList } from "../options/index.ts";
import { excludeColumns, findColumns } from "./columnSelection.ts";
import type { Labels } from "./labels.ts";
import type { Table } from "./table.ts";

/** The given columns: first those of numbers, then those of labels. Throws `DATA` for a column of another type. */
export async function contextColumns(
  table: Table,
  given: readonly string[],
  labels: Labels,
): Promise<string[]> {
  if (given.length === 0) return [];
  const numeric = await table.numericColumns(given, { use: "given" });
  return [...numeric.filter((name) => !labels.has(name)), ...labels.keys()];
}

/**
 * The columns to learn: `columns`, or all, without those of `exclude` and of the context.
 *
 * @throws ARGUMENT if none is left, or a column is named twice; DATA if a column does not exist.
 */
export function learnedColumns(
  table: Table,
  context: readonly string[],
  {
    columns,
    exclude = [],
  }: { readonly columns?: readonly string[] | undefined; readonly exclude?: readonly string[] | undefined },
): string[] {
  const inBoth = (name: string, option: string, others: readonly string[] = []) =>
    new PushforwardError("ARGUMENT", `The column "${name}" is both in ${option} and in --given`, {
      hint: `Remove it from one of them${others.length > 0 ? `: ${option} ${columnList(others)}` : "."}`,
    });
  const excludedAndGiven = exclude.find((name) => context.includes(name));
  if (excludedAndGiven !== undefined) throw inBoth(excludedAndGiven, "--exclude");
  const allNames = table.columns.map(({ name }) => name);
  const chosen = columns
    ? findColumns(table, columns).map(({ name }) => name)
    : allNames.filter((name) => !context.includes(name));
  const learned = excludeColumns(table, chosen, exclude);
  const learnedAndGiven = learned.find((name) => context.includes(name));
  if (learnedAndGiven !== undefined) {
    const others = learned.filter((name) => name !== learnedAndGiven);
    throw inBoth(learnedAndGiven, "--columns", others);
  }
  if (learned.length > 0) return learned;
  const option = exclude.length > 0 ? "--exclude" : "--given";
  throw new PushforwardError("ARGUMENT", `${option} leaves no column of ${table.source} to learn`, {
    hint: `Name fewer columns in ${option}.`,
  });
}
