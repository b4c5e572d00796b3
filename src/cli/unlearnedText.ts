import { counted, PushforwardError } from "../check/index.ts";
import { describeColumn, type TableColumn, type UnlearnedValues } from "../tables/columns/index.ts";
import type { Table } from "../tables/io/index.ts";

/**
 * A warning about values that a model with these columns did not learn. `consequence` says what happens to rows with impossible values.
 */
export function unlearnedText(
  { column, kind, rows, row, value }: UnlearnedValues,
  table: Table,
  columns: readonly TableColumn[] = [],
  consequence = "Its log-density is -Infinity.",
): string {
  const first = table.fileRow(row);
  const where =
    rows === 1
      ? `Row ${first.row} of ${first.file} has`
      : `${counted(rows, "row")}${table.relation.files ? "" : ` of ${table.source}`} (the first is ${table.rowText(row)}) have`;
  const example = rows === 1 ? `: ${value}` : `, such as ${value}`;
  switch (kind) {
    case "unseen":
      return `${where} a label of "${column}" that training did not see${example}. All such labels together have a small probability.`;
    case "impossible":
      return `${where} a value of "${column}" that the model considers impossible${example}${possibleText(columns, column)}. ${consequence}`;
    case "incomplete":
      return `${where} no value of "${column}", and so cannot be scored: no value of this column was missing in training.`;
  }
}

/** The bounds, the lattice or the constant of a column, whose values are possible. */
function possibleText(columns: readonly TableColumn[], name: string): string {
  const column = columns.find((each) => each.name === name);
  if (!column || column.kind === "time" || (column.kind === "categorical" && !column.isBoolean)) return "";
  const { kind, details } = describeColumn(column);
  return ` (expected ${kind}: ${details})`;
}

/** The error `DATA` for values that a model did not learn, with the text of the warning. */
export const unlearnedError = (text: string, hint: string): PushforwardError =>
  new PushforwardError("DATA", text.replace(/\.$/, ""), { hint });
