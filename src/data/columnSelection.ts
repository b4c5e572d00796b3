import { PushforwardError } from "../errors.ts";
import { columnList, listed } from "./columnList.ts";
import { identifier, literal } from "./database.ts";
import { nearestName } from "./nearestName.ts";
import type { Column, Table } from "./table.ts";

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|BIGNUM|DECIMAL\(.*\))$/;

export interface ColumnSelection {
  /** What they are for: to be learned, for `--given`, or for a model, in place of which no others can be chosen. */
  readonly use?: "learned" | "given" | "model";
  /** Columns that `--given` has, which are not offered. */
  readonly given?: readonly string[];
}

/** See `Table.numericColumns`. */
export async function selectNumericColumns(
  table: Table,
  names?: readonly string[],
  { use = "learned", given = [] }: ColumnSelection = {},
): Promise<string[]> {
  const chosen = names ? names.map((name, i) => find(table, name, names.indexOf(name) < i)) : table.columns;
  const others = chosen.filter(({ type }) => !NUMERIC.test(type));
  if (others.length === 0) return chosen.map(({ name }) => name);

  const obstacles = await Promise.all(others.map((column) => examine(table, column)));
  const stray = obstacles.length === 1 ? obstacles[0]!.stray : undefined;
  const numeric = table.columns
    .filter(({ name, type }) => NUMERIC.test(type) && !given.includes(name))
    .map(({ name }) => name);
  const labelled = others.filter((_, i) => obstacles[i]!.labels).map(({ name }) => name);
  const unlessStray = (text: string) => (stray === undefined ? text : undefined);
  const [expected, choice] = {
    learned: [
      `numbers in ${names ? "the chosen columns" : "every column, or a choice of columns"}`,
      mendChoice(numeric, labelled, given),
    ],
    given: [
      "numbers or labels in the columns of --given",
      unlessStray("Name others, or make numbers of these in a query."),
    ],
    model: ["numbers in the columns of the model", unlessStray("Give numbers in these columns.")],
  }[use];
  const what = others.length === 1 ? "a column that is" : "columns that are";
  throw new PushforwardError("DATA", `${table.source} has ${what} not numeric`, {
    expected,
    received: obstacles.map(({ text }) => text).join(", "),
    mend: [stray !== undefined && mendStray(table, stray), choice].filter(Boolean).join(" "),
  });
}

function find(table: Table, name: string, again: boolean): Column {
  const column = table.columns.find((column) => column.name === name);
  if (column && !again) return column;
  if (column) {
    throw new PushforwardError("ARGUMENT", `The column "${name}" is chosen twice`, {
      mend: "Choose each column once.",
    });
  }
  const there = table.columns.map((column) => column.name);
  const nearest = nearestName(name, there);
  throw new PushforwardError("DATA", `${table.source} has no column "${name}"`, {
    expected: `one of ${listed(there)}`,
    mend: nearest === undefined ? "Correct the name." : `Did you mean "${nearest}"?`,
  });
}

interface Obstacle {
  readonly text: string;
  /** The first value that is no number in a text column that is mostly numbers. */
  readonly stray?: string;
  /** Whether it is text that may name classes. */
  readonly labels?: boolean;
}

/** Why a column is not numeric. */
async function examine(table: Table, { name, type }: Column): Promise<Obstacle> {
  if (type !== "VARCHAR" && type !== "JSON") return { text: `"${name}" (${type})` };
  const c = identifier(name);
  const from = `FROM ${table.relation.sql}`;
  const [counts] = await table.database.rows(`SELECT count(${c}), count(TRY_CAST(${c} AS DOUBLE)) ${from}`);
  const [values, numbers] = counts!.map(Number) as [number, number];
  if (values === 0) return { text: `"${name}" (no values at all)` };
  if (2 * numbers <= values) return { text: `"${name}" (${type})`, labels: type === "VARCHAR" };
  const [first] = (await table.database.rows(
    `SELECT row, value FROM (SELECT row_number() OVER () AS row, CAST(${c} AS VARCHAR) AS value ${from}) \
WHERE value IS NOT NULL AND TRY_CAST(value AS DOUBLE) IS NULL LIMIT 1`,
  )) as [[string, string]];
  return { text: `"${name}" ('${first[1]}' in row ${first[0]})`, stray: first[1] };
}

function mendStray(table: Table, stray: string): string {
  if (!table.relation.asText) return "Correct the value.";
  const path = literal(table.source);
  return /^[-+]?\d+,\d+$/.test(stray)
    ? `For decimal commas, use a query in place of the file: "FROM read_csv(${path}, decimal_separator = ',')".`
    : `Correct the value, or read it as missing with a query in place of the file: \
"FROM read_csv(${path}, nullstr = ['', ${literal(stray)}])".`;
}

function mendChoice(
  numeric: readonly string[],
  labelled: readonly string[],
  given: readonly string[],
): string {
  if (numeric.length === 0) return "Give a table that has columns of numbers.";
  const choice = `Choose among the numeric columns: --columns ${columnList(numeric, 8)}`;
  return labelled.length > 0
    ? `${choice}, or learn them for each label: --given ${columnList([...given, ...labelled])}`
    : choice;
}
