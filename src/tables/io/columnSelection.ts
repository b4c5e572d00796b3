import { listedNames, nearestName, PushforwardError } from "../../check/index.ts";
import { columnList, quotedNames } from "../options/index.ts";
import { isNumeric } from "./columnTypes.ts";
import { describeByType, examineColumn, type NonNumericColumn } from "./nonNumericColumns.ts";
import { quotedIfNeeded, shellQuotedQuery } from "./query.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

/** At most this many columns are read to say why they are not numeric; of further columns the message has only the types. */
const MAX_EXAMINED = 200;

export interface ColumnSelection {
  /** What the columns are used for. The user cannot choose those of a `model`, so errors suggest no others for it. */
  readonly use?: "learned" | "given" | "model";
  /** Columns of `--given`, which errors do not suggest. */
  readonly given?: readonly string[];
}

/** Implements `Table.numericColumns`. */
export async function selectNumericColumns(
  table: Table,
  names?: readonly string[],
  { use = "learned", given = [] }: ColumnSelection = {},
): Promise<string[]> {
  const chosen = names ? findColumns(table, names) : table.columns;
  const nonNumeric = chosen.filter((column) => !isNumeric(column));
  if (nonNumeric.length === 0) return chosen.map(({ name }) => name);

  const examined = await Promise.all(
    nonNumeric.slice(0, MAX_EXAMINED).map((column) => examineColumn(table, column)),
  );
  const reasons = [...examined, ...nonNumeric.slice(MAX_EXAMINED).map(describeByType)];
  const hint = conversionHint(table, reasons);
  const numeric = table.columns
    .filter((column) => isNumeric(column) && !given.includes(column.name))
    .map(({ name }) => name);
  const unlessHint = (text: string) => (hint === "" ? text : "");
  const [expected, choice] = {
    learned: [
      `numbers in ${names ? "the chosen columns" : "every column, or a choice of columns"}`,
      choiceHint(numeric, reasons, given),
    ],
    given: [
      "numbers or labels in the columns of --given",
      unlessHint("Name other columns, or convert these to numbers in a query."),
    ],
    model: ["numbers in the columns of the model", unlessHint("Give numbers in these columns.")],
  }[use] as [string, string];
  const what = nonNumeric.length === 1 ? "a column that is" : "columns that are";
  throw new PushforwardError("DATA", `${table.source} has ${what} not numeric`, {
    expected,
    received: listedNames(reasons.map(({ description }) => description)),
    hint: [hint, choice].filter(Boolean).join(" "),
  });
}

/** Returns `names` without the names in `excluded`. Throws the errors of `findColumns`. */
export function excludeColumns(
  table: Table,
  names: readonly string[],
  excluded: readonly string[],
): string[] {
  const excludedNames = findColumns(table, excluded).map(({ name }) => name);
  return names.filter((name) => !excludedNames.includes(name));
}

/**
 * The columns with these names.
 *
 * @throws DATA if a column does not exist; ARGUMENT if a name is listed twice.
 */
export const findColumns = (table: Table, names: readonly string[]): Column[] =>
  names.map((name, i) => findColumn(table, name, names.indexOf(name) < i));

function findColumn(table: Table, name: string, isRepeated: boolean): Column {
  const column = table.columns.find((column) => column.name === name);
  if (column && !isRepeated) return column;
  if (column) {
    throw new PushforwardError("ARGUMENT", `The column "${name}" is chosen twice`, {
      hint: "Choose each column once.",
    });
  }
  const names = table.columns.map((column) => column.name);
  const nearest = nearestName(name, names);
  throw new PushforwardError("DATA", `${table.source} has no column "${name}"`, {
    expected: `one of ${quotedNames(names)}`,
    hint: nearest === undefined ? "Correct the name." : `Did you mean "${nearest}"?`,
  });
}

/** A hint that says how to convert the columns whose text is mostly numbers; empty if there are none. */
function conversionHint(table: Table, nonNumeric: readonly NonNumericColumn[]): string {
  const ofKind = (...kinds: NonNumericColumn["kind"][]) =>
    nonNumeric.filter(({ kind }) => kinds.includes(kind));
  const hints = [];

  const withWords = ofKind("words");
  if (withWords.length > 0) {
    const na = [...new Set(withWords.filter(({ hasAllWords }) => hasAllWords).flatMap(({ words }) => words))];
    const [value, it] = na.length === 1 ? ["value", "it"] : ["values", "them"];
    hints.push(
      na.length === 0
        ? "Correct the values."
        : `Correct the ${value}, or read ${it} as missing (--na ${columnList(na)}).`,
    );
  }
  const commas = ofKind("decimalCommas", "thousands", "commas");
  if (commas.length > 0) {
    const delim = table.delimiterOption();
    const query = (option: string) => {
      const read = delim && table.inQuery([option, delim]);
      return read && shellQuotedQuery(`FROM ${read}`);
    };
    const decimal = delim && '--decimal ","';
    const thousands = query("thousands = ','");
    if (!decimal || !thousands) hints.push("Write the numbers without commas, and with a decimal point.");
    else if (commas.every(({ kind }) => kind === "thousands"))
      hints.push(`For thousands separators, use a query in place of the file: ${thousands}.`);
    else if (commas.every(({ kind }) => kind === "commas"))
      hints.push(
        `For decimal commas, use ${decimal}. For thousands separators, use a query in place of the file: ${thousands}.`,
      );
    else hints.push(`For decimal commas, use ${decimal}.`);
  }
  const numbers = ofKind("numbers");
  if (numbers.length > 0) {
    const casts = numbers.map(
      ({ name }) => `CAST(${quotedIfNeeded(name)} AS DOUBLE) AS ${quotedIfNeeded(name)}`,
    );
    const source = table.inQuery();
    const query = shellQuotedQuery(`SELECT * REPLACE (${casts.join(", ")}) FROM ${source ?? "..."}`);
    hints.push(`Convert text to numbers in a query${source ? " in place of the file" : ""}: ${query}.`);
  }
  return hints.join(" ");
}

function choiceHint(
  numeric: readonly string[],
  nonNumeric: readonly NonNumericColumn[],
  given: readonly string[],
): string {
  if (numeric.length === 0)
    return nonNumeric.every(({ kind }) => kind === "labels" || kind === "other")
      ? "Give a table that has columns of numbers."
      : "";
  const labelled = nonNumeric.filter(({ kind }) => kind === "labels").map(({ name }) => name);
  const choice =
    numeric.length > 8
      ? `Leave the others out: --exclude ${columnList(nonNumeric.map(({ name }) => name))}`
      : `Choose among the numeric columns: --columns ${columnList(numeric)}`;
  return labelled.length > 0
    ? `${choice}, or learn them for each label: --given ${columnList([...given, ...labelled])}`
    : choice;
}
