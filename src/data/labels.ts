import { PushforwardError } from "../errors.ts";
import { nearestName } from "../nearestName.ts";
import { quotedIdentifier, stringLiteral } from "./database.ts";
import { Table } from "./table.ts";

/** What stands in text columns, by their names: a label is read as the number of its place, 0, 1, 2... */
export type Labels = ReadonlyMap<string, readonly string[]>;

/** A column of more labels holds names or notes rather than classes. */
const MOST = 256;

const TEXT = /^(VARCHAR|BOOLEAN|ENUM\(.*\))$/;

/**
 * The labels, sorted, of those of the columns `names` that hold text or BOOLEAN. Text that is mostly numbers has none: it is
 * for `numericColumns` to say what is wrong with it.
 *
 * @throws DATA when a column has a single label, or more than 256.
 */
export async function labelsIn(table: Table, names: readonly string[]): Promise<Labels> {
  const texts = table.columns.filter(({ name, type }) => names.includes(name) && TEXT.test(type));
  const found = new Map<string, readonly string[]>();
  for (const { name } of texts) {
    const labels = await distinctTexts(table, name);
    if (labels.length > 0) found.set(name, labels);
  }
  return found;
}

async function distinctTexts(table: Table, name: string): Promise<string[]> {
  const { database, relation, source } = table;
  const text = textOf(name);
  const [counts] = await database.rows(
    `SELECT count(${text}), count(TRY_CAST(${text} AS DOUBLE)), count(DISTINCT ${text}) FROM ${relation.sql}`,
  );
  const [values, numbers, distinct] = counts!.map(Number) as [number, number, number];
  if (relation.text !== undefined && 2 * numbers > values) return [];
  if (distinct > MOST) {
    throw new PushforwardError("DATA", `The column "${name}" of ${source} has too many labels`, {
      expected: `numbers, or text of at most ${MOST} different labels`,
      received: `${distinct} different ones`,
      hint: "Leave it out of --given, or give classes of these in a query.",
    });
  }
  const rows = await database.rows(
    `SELECT DISTINCT ${text} AS label FROM ${relation.sql} WHERE label IS NOT NULL ORDER BY label`,
  );
  const labels = rows.map(([label]) => label as string);
  if (labels.length !== 1) return labels;
  throw new PushforwardError("DATA", `The column "${name}" of ${source} is constant`, {
    expected: "at least two different values",
    received: `'${labels[0]}' in all ${values} rows`,
    hint: "Leave it out of --given.",
  });
}

/** The table with numbers in place of labels; `close` closes both. */
export function withLabels(table: Table, labels: Labels): Table {
  if (labels.size === 0) return table;
  const numbers = [...labels].map(([name, known]) => {
    const places = known.map((label, place) => `WHEN ${stringLiteral(label)} THEN ${place}`);
    return `CASE ${textOf(name)} ${places.join(" ")} END AS ${quotedIdentifier(name)}`;
  });
  return new Table(table.database, {
    ...table.relation,
    sql: `(SELECT * REPLACE (${numbers.join(", ")}) FROM ${table.relation.sql})`,
    columns: table.columns.map(({ name, type }) => ({ name, type: labels.has(name) ? "INTEGER" : type })),
  });
}

/** @throws DATA when a column holds another label than these, with its row. */
export async function checkLabels(table: Table, labels: Labels): Promise<void> {
  for (const [name, known] of labels) {
    const [first] = (await table.database.rows(
      `SELECT row, label FROM (SELECT row_number() OVER () AS row, ${textOf(name)} AS label FROM ${table.relation.sql}) \
WHERE label NOT IN (${known.map(stringLiteral).join(", ")}) LIMIT 1`,
    )) as [string, string][];
    if (!first) continue;
    const [row, label] = first;
    throw new PushforwardError("DATA", `${table.source} has a label that the model does not know`, {
      expected: `in the column "${name}" ${listOf(known)}`,
      received: `'${label}' in row ${row}`,
      hint: `${meant(label, known)}Leave such rows out in a query, or fit a model to rows that have this label.`,
    });
  }
}

/** "a, b or c", of many labels the first ones. */
export function listOf(labels: readonly string[], most = 12): string {
  if (labels.length > most)
    return `${labels.slice(0, most).join(", ")} or one of ${labels.length - most} more`;
  return [labels.slice(0, -1).join(", "), ...labels.slice(-1)].filter(Boolean).join(" or ");
}

/** "Did you mean ...? ", if a label is like that. */
export function meant(label: string, known: readonly string[]): string {
  const nearest = nearestName(label, known);
  return nearest === undefined ? "" : `Did you mean ${nearest}? `;
}

const textOf = (name: string): string => `CAST(${quotedIdentifier(name)} AS VARCHAR)`;
