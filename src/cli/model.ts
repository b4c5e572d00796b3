import { listed } from "../data/columnList.ts";
import { formatOf } from "../data/format.ts";
import type { Labels, Table } from "../data/index.ts";
import { checkLabels, withLabels } from "../data/labels.ts";
import { nameInQuery, quotedQuery } from "../data/query.ts";
import { PushforwardError } from "../errors.ts";
import { readBytes } from "../files/readBytes.ts";
import { decodeModel, type Model } from "../flows/index.ts";
import { nearestName } from "../nearestName.ts";
import { namingFile } from "./failure.ts";

/**
 * Reads a model file.
 *
 * @throws FILE when it cannot be read; MODEL, with the path, when it is damaged, foreign, newer or wrong.
 */
export async function readModel(path: string): Promise<Model> {
  try {
    return decodeModel(await readBytes(path));
  } catch (error) {
    if (formatOf(path) && error instanceof PushforwardError && error.code === "MODEL") {
      throw new PushforwardError("MODEL", `${path} is a table, not a model`, {
        hint: "Give the model first, then the table.",
        cause: error,
      });
    }
    throw namingFile(error, path);
  }
}

/** What stands in the columns of a model that hold labels. */
export const labelsOf = ({ given, labels = [] }: Model): Labels =>
  new Map(labels.map((names, i) => [given[given.length - labels.length + i]!, names]));

/**
 * A table as a model reads it: with the columns that the model needs, and numbers in place of labels. The order of columns
 * does not matter, and neither do further columns.
 *
 * @throws DATA when columns are missing or not numeric, or a label is new to the model.
 */
export async function tableFor(table: Table, needed: readonly string[], labels: Labels): Promise<Table> {
  const there = table.columns.map(({ name }) => name);
  const missing = needed.filter((name) => !there.includes(name));
  if (missing.length === 0) {
    const readable = withLabels(table, labels);
    await readable.numericColumns(needed, { use: "model" });
    await checkLabels(table, labels);
    return readable;
  }
  const spare = there.filter((name) => !needed.includes(name));
  const [first] = missing;
  const other = nearestName(first!, spare) ?? spare[0];
  const query = quotedQuery(
    `SELECT * RENAME (${nameInQuery(other ?? "")} AS ${nameInQuery(first!)}) FROM ${table.inQuery() ?? "..."}`,
  );
  throw new PushforwardError(
    "DATA",
    `${table.source} has no ${missing.length === 1 ? "column" : "columns"} ${listed(missing)}`,
    {
      expected: `the columns of the model, ${listed(needed)}`,
      received: listed(there),
      hint: `Add what is missing${other === undefined ? "." : `, or rename in a query what has another name: ${query}`}`,
    },
  );
}
