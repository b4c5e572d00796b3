import { nearestName, PushforwardError } from "../../check/index.ts";
import { modelLabels } from "../../model/index.ts";
import type { LoadedModel } from "../model/index.ts";
import { quotedNames } from "../options/index.ts";
import { checkLabels, withLabels } from "./labels.ts";
import { quotedIfNeeded, shellQuotedQuery } from "./query.ts";
import type { Table } from "./table.ts";

/**
 * A table as a model reads it: with numbers in place of labels. The table must have the columns `needed`, by default all columns of the
 * model, in any order, and may have more.
 *
 * @throws DATA when a column is missing or not numeric, or has a label that the model does not know.
 */
export async function tableForModel(
  table: Table,
  model: Pick<LoadedModel, "columns" | "given" | "labels">,
  needed: readonly string[] = [...model.columns, ...model.given],
): Promise<Table> {
  checkColumns(table, needed);
  const labels = modelLabels(model);
  const encoded = withLabels(table, labels);
  await encoded.numericColumns(needed, { use: "model" });
  await checkLabels(table, labels);
  return encoded;
}

/** @throws DATA if the table lacks one of the columns `needed` of a model. */
export function checkColumns(table: Table, needed: readonly string[]): void {
  const names = table.columns.map(({ name }) => name);
  const missing = needed.filter((name) => !names.includes(name));
  const [first] = missing;
  if (first === undefined) return;
  const unneeded = names.filter((name) => !needed.includes(name));
  const renamed = nearestName(first, unneeded) ?? unneeded[0];
  const query = shellQuotedQuery(
    `SELECT * RENAME (${quotedIfNeeded(renamed ?? "")} AS ${quotedIfNeeded(first)}) FROM ${table.inQuery() ?? "..."}`,
  );
  throw new PushforwardError(
    "DATA",
    `${table.source} has no ${missing.length === 1 ? "column" : "columns"} ${quotedNames(missing)}`,
    {
      expected: `the columns of the model, ${quotedNames(needed)}`,
      received: quotedNames(names),
      hint: `Add the missing columns${renamed === undefined ? "." : `, or rename a column in a query: ${query}`}`,
    },
  );
}
