import { count, counted } from "../check/index.ts";
import type { TrainingTable } from "../tables/io/index.ts";
import { columnTable } from "./columnTable.ts";
import type { Messages } from "./messages.ts";

/** Prints what a user should know about a table before training: missing values, misleading columns, constants. */
export function printNotes(table: TrainingTable, messages: Messages): void {
  const { rows, missing, columns, constants, described } = table;
  for (const { name, type, remarks } of described ?? []) {
    // The remarks on a column of text say that it may be meant as numbers or dates.
    if (type === "VARCHAR") for (const remark of remarks) messages.warn(`The column "${name}": ${remark}.`);
  }
  for (const line of described ? columnTable(described).trimEnd().split("\n") : []) messages.print(line);
  if (missing > 0) {
    const total = counted(rows.rows + missing, "row");
    const are = missing === 1 ? "is" : "are";
    messages.warn(`${count(missing)} of ${total} ${are} left out because a value is missing.`);
  }
  const notes = table.notes();
  for (const { message, hint } of notes) messages.warn(`${message} ${hint}`);
  const sampled = rows.sample.rows;
  if (notes.length > 0 && sampled < rows.rows) {
    messages.print(
      `(The warnings are about ${count(sampled)} of ${count(rows.rows)} rows, chosen at random.)`,
    );
  }
  const fixed = [...constants].map(([column, value]) => `${columns[column]} = ${value}`);
  if (fixed.length === 0) return;
  const [are, value] = fixed.length > 1 ? ["Some columns are", "values"] : ["A column is", "value"];
  messages.print(
    `Note: ${are} constant: ${fixed.join(", ")}. Samples of the model have the same ${value}, rows with any other value have probability 0, and log-densities are those of the other columns.`,
  );
}
