import { nearestName, PushforwardError } from "../../check/index.ts";
import type { ColumnValues, InMemoryDataset } from "../../dataset/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { isNumeric, numberOfText } from "./columnTypes.ts";
import { constantContextError } from "./constantError.ts";
import { textLiteral } from "./database.ts";
import type { Column } from "./relation.ts";
import { Table } from "./table.ts";
import { textExpression } from "./valueExpressions.ts";

/** The class labels of text columns, by the names of the columns. A label is encoded as its index in the list. */
export type Labels = ReadonlyMap<string, readonly string[]>;

/** A column with more distinct strings contains names or notes rather than classes. */
const MAX_CONTEXT_LABELS = 256;

const LABEL_TYPES = /^(VARCHAR|BOOLEAN|ENUM\(.*\))$/;

/** Dates and times of a text file can be labels too, because they are text. */
const mayBeLabels = (table: Table, column: Column): boolean =>
  LABEL_TYPES.test(column.type) || (table.relation.text !== undefined && !isNumeric(column));

/**
 * Reads the different values of the text and BOOLEAN columns among `names`, sorted. It skips columns of text that are mostly
 * numbers: `numericColumns` throws an error about these.
 *
 * @throws DATA if a column has a single label, or more than 256.
 */
export async function readLabels(table: Table, names: readonly string[]): Promise<Labels> {
  const texts = table.columns.filter((column) => names.includes(column.name) && mayBeLabels(table, column));
  const found = new Map<string, readonly string[]>();
  for (const { name } of texts) {
    const labels = await labelsOfColumn(table, name);
    if (labels.length > 0) found.set(name, labels);
  }
  return found;
}

async function labelsOfColumn(table: Table, name: string): Promise<string[]> {
  const { database, relation, source } = table;
  const text = textValue(table, name);
  const [counts] = await database.run(
    `SELECT count(${text}), count(${numberOfText(text)}), count(DISTINCT ${text}) FROM ${relation.sql}`,
  );
  const [values, numbers, distinct] = counts!.map(Number) as [number, number, number];
  if (relation.text !== undefined && 2 * numbers > values) return [];
  if (distinct > MAX_CONTEXT_LABELS) {
    throw new PushforwardError("DATA", `The column "${name}" of ${source} has too many labels`, {
      expected: `numbers, or text of at most ${MAX_CONTEXT_LABELS} different labels`,
      received: `${distinct} different labels`,
      hint: "Leave it out of --given, or combine labels in a query.",
    });
  }
  const rows = await database.run(
    `SELECT DISTINCT ${text} AS label FROM ${relation.sql} WHERE label IS NOT NULL ORDER BY label`,
  );
  const labels = rows.map(([label]) => label as string);
  if (labels.length !== 1) return labels;
  throw constantContextError(name, source, { value: `'${labels[0]}'`, rows: values });
}

/** The columns of numbers of the context, which precede those of labels. */
export function numbersOfContext(
  { rows, context, contextFeatures }: InMemoryDataset,
  { given, labels }: { readonly given: readonly string[]; readonly labels: Labels },
): ColumnValues {
  const width = given.length - labels.size;
  const values = labels.size === 0 ? context : context.filter((_, i) => i % contextFeatures < width);
  return { columns: given.slice(0, width), rows, values };
}

/** The table with labels replaced by their indices. `close` closes both tables. */
export function withLabels(table: Table, labels: Labels): Table {
  if (labels.size === 0) return table;
  const numbers = [...labels].map(([name, columnLabels]) => {
    const cases = columnLabels.map((label, index) => `WHEN ${textLiteral(label)} THEN ${index}`);
    return `CASE ${textValue(table, name)} ${cases.join(" ")} END AS ${quotedIdentifier(name)}`;
  });
  return new Table(table.database, {
    ...table.relation,
    sql: `(SELECT * REPLACE (${numbers.join(", ")}) FROM ${table.relation.sql})`,
    columns: table.columns.map((column) =>
      labels.has(column.name) ? { name: column.name, type: "INTEGER" } : column,
    ),
  });
}

/** @throws DATA if a column has a label that is not in `labels`, with its row. */
export async function checkLabels(table: Table, labels: Labels): Promise<void> {
  for (const [name, learned] of labels) {
    const [first] = (await table.database.run(
      `SELECT row, label FROM (SELECT row_number() OVER () AS row, ${textValue(table, name)} AS label FROM ${table.relation.sql}) \
WHERE label NOT IN (${learned.map(textLiteral).join(", ")}) LIMIT 1`,
    )) as [string, string][];
    if (!first) continue;
    const [row, label] = first;
    throw new PushforwardError("DATA", `${table.source} has a label that the model was not trained on`, {
      expected: `in the column "${name}" ${orList(learned)}`,
      received: `'${label}' in ${table.rowText(Number(row))}`,
      hint: `${didYouMean(label, learned)}Leave such rows out in a query, or train a model on rows with this label.`,
    });
  }
}

/** More labels than this are not listed. */
const MAX_LISTED_LABELS = 12;

/** The labels as a list for messages: "a, b or c", or the first of them and how many more there are. */
export function orList(labels: readonly string[]): string {
  if (labels.length > MAX_LISTED_LABELS)
    return `${labels.slice(0, MAX_LISTED_LABELS).join(", ")} or one of ${labels.length - MAX_LISTED_LABELS} more`;
  return [labels.slice(0, -1).join(", "), ...labels.slice(-1)].filter(Boolean).join(" or ");
}

/** `Did you mean "..."? `, or an empty text if no learned label is similar. */
export function didYouMean(label: string, learned: readonly string[]): string {
  const nearest = nearestName(label, learned);
  return nearest === undefined ? "" : `Did you mean "${nearest}"? `;
}

const textValue = (table: Table, name: string): string =>
  textExpression(table, table.columns.find((column) => column.name === name)!);
