import { PushforwardError, shortened } from "../../check/index.ts";
import {
  booleanLabel,
  type TableColumn,
  THOUSANDS,
  type ValueType,
  WITH_DECIMAL_COMMA,
} from "../columns/index.ts";
import { columnList, isTimeKind, type NumericKind, type TimeKind } from "../options/index.ts";
import { withDates } from "./contentsOfText.ts";
import { stringLiteral, textLiteral } from "./database.ts";
import type { LabelDictionary } from "./labelDictionary.ts";
import { quotedIfNeeded } from "./query.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { numberExpression, textExpression, valueTypeOf } from "./valueExpressions.ts";

/**
 * The SQL of the values of a learned column in another table, as the numbers of `RawColumn`. Text becomes the index of its label among
 * those of the learned column, or the number of labels if it is not one of them. For a constant the SQL is 1 where the value is the
 * constant, and 0 elsewhere. In a column that the user declared boolean, true and false stand for the labels with the same meaning, such
 * as yes and no.
 *
 * @throws DATA if the column of the table has another type, with the first value that is wrong.
 */
export async function learnedExpression(
  table: Table,
  learned: TableColumn,
  dictionary: LabelDictionary,
): Promise<string> {
  const column = table.columns.find(({ name }) => name === learned.name)!;
  const text = textExpression(table, column);
  if (learned.kind === "constant" && learned.value === null)
    return `CASE WHEN ${text} IS NOT NULL THEN 1 END`;
  if (learned.kind === "categorical" && learned.isBoolean && valueTypeOf(column) === "boolean") {
    const isTrue = numberExpression(table, column, "boolean")!;
    // The labels of a column of numbers are 0 and 1.
    if (learned.type !== "text") return isTrue;
    const indexOf = (word: string) => learned.labels.indexOf(booleanLabel(learned.labels, word)!);
    return `CASE ${isTrue} WHEN 1 THEN ${indexOf("true")} WHEN 0 THEN ${indexOf("false")} END`;
  }
  if (learned.type === "text") {
    if (!canBeLabels(column, learned)) throw otherType(table, column, learned);
    if (learned.kind === "constant") return `CAST(${text} = (${textLiteral(learned.value!)}) AS INTEGER)`;
    return dictionary.indexExpression(text, learned.kind === "categorical" ? learned.labels : []);
  }
  const { type } = learned;
  const dated = await withDates(table, column, type);
  const value = numberExpression(table, dated, type);
  if (value === undefined) throw otherType(table, column, learned);
  // Numbers other than 0 and 1 represent no boolean.
  const from = valueTypeOf(column);
  if (from === "text" || (type === "boolean" && from !== "boolean"))
    await checkTexts(table, dated, learned, { text, value });
  if (learned.kind !== "constant") return value;
  const mayBeNaN = type === "number" || type === "integer" || type === "boolean";
  const present = mayBeNaN ? `nullif(${value}, 'NaN')` : value;
  return `CAST(${present} = ${constantNumber(learned.value!, type)} AS INTEGER)`;
}

/**
 * Whether a column may have labels of the learned column. A column of numbers may if some label is a number: another file may have only
 * these labels.
 */
function canBeLabels(column: Column, learned: TableColumn): boolean {
  const type = valueTypeOf(column);
  if (type !== "number" && type !== "integer") return type !== undefined;
  const labels =
    learned.kind === "categorical" ? learned.labels : learned.kind === "constant" ? [learned.value] : [];
  return labels.some((label) => Number.isFinite(Number(label)));
}

/** The SQL of a constant in the units of `numberExpression`. */
function constantNumber(value: string, type: Exclude<ValueType, "text">): string {
  const literal = stringLiteral(value);
  switch (type) {
    case "number":
    case "integer":
      return `CAST(${literal} AS DOUBLE)`;
    case "boolean":
      return `CAST(CAST(${literal} AS BOOLEAN) AS DOUBLE)`;
    case "time":
      return `epoch_ms(CAST(${literal} AS TIME))`;
    default:
      return `epoch_ms(CAST(${literal} AS TIMESTAMP))`;
  }
}

/** @throws DATA if a string does not represent a value of the learned type. */
async function checkTexts(
  table: Table,
  column: Column,
  learned: TableColumn,
  sql: { readonly text: string; readonly value: string },
): Promise<void> {
  const wrong = await firstWrongText(table, sql);
  if (wrong) throw otherType(table, column, learned, wrong);
}

/** A string that does not represent a value of the expected type, and its row. */
interface WrongText {
  readonly row: string;
  readonly text: string;
}

/** The first row whose text represents no value. `text` and `value` are the SQL of the text and of the value that it represents. */
async function firstWrongText(
  table: Table,
  { text, value }: { readonly text: string; readonly value: string },
): Promise<WrongText | undefined> {
  const [first] = (await table.database.run(
    `SELECT row, text FROM (SELECT row_number() OVER () AS row, ${text} AS text, ${value} AS value FROM ${table.relation.sql})
      WHERE text IS NOT NULL AND value IS NULL LIMIT 1`,
  )) as [string, string][];
  return first && { row: first[0], text: first[1] };
}

/** Throws `ARGUMENT` for a column of text whose stated kind needs numbers or times. It names the first text that represents none. */
export async function throwTextKind(
  table: Table,
  column: Column,
  kind: NumericKind | TimeKind,
): Promise<never> {
  const type = isTimeKind(kind) ? kind : "number";
  const dated = await withDates(table, column, type);
  const wrong = await firstWrongText(table, {
    text: textExpression(table, column),
    value: numberExpression(table, dated, type)!,
  });
  const { name } = column;
  throw new PushforwardError("ARGUMENT", `column "${name}" of ${table.source} cannot be ${kind}`, {
    expected: EXPECTED[type],
    received: wrong ? wrongText(table, wrong) : `text that represents ${EXPECTED[type]}`,
    hint: wrong
      ? `${hintFor(dated, wrong.text)} Otherwise, state another kind.`
      : "Convert the column in a query.",
  });
}

const wrongText = (table: Table, { row, text }: WrongText): string =>
  `'${shortened(text, 40)}' in ${table.rowText(Number(row))}`;

const EXPECTED: Readonly<Record<ValueType, string>> = {
  number: "numbers",
  integer: "numbers",
  boolean: "true or false",
  text: "text",
  date: "dates such as 2020-12-31",
  timestamp: "dates with a time, such as 2020-12-31 23:59:59",
  time: "times such as 23:59:59",
};

function otherType(table: Table, column: Column, learned: TableColumn, wrong?: WrongText): PushforwardError {
  return new PushforwardError(
    "DATA",
    `The column "${column.name}" of ${table.source} has ${wrong ? "a value of " : ""}a different type from the training table`,
    {
      expected: EXPECTED[learned.type],
      received: wrong ? wrongText(table, wrong) : column.type,
      hint: hintFor(column, wrong?.text),
    },
  );
}

function hintFor({ name, dateOrder }: Column, wrong: string | undefined): string {
  if (wrong === undefined)
    return "Convert the column in a query, or train a model on a table in which it has this type.";
  const column = quotedIfNeeded(name);
  if (dateOrder === "ambiguous") {
    return `Day and month cannot be told apart. Convert the dates in a query: strptime(${column}, '%d/%m/%Y') AS ${column}`;
  }
  const matches = (pattern: string) => new RegExp(`^(${pattern})$`).test(wrong.trim());
  const inQuery = `in a query: CAST(replace(${column}, ',', '') AS DOUBLE) AS ${column}`;
  if (matches(WITH_DECIMAL_COMMA)) {
    return matches(THOUSANDS)
      ? `Read decimal commas with --decimal ",", or remove commas between thousands ${inQuery}`
      : 'Read decimal commas with --decimal ",".';
  }
  if (matches(THOUSANDS)) return `Remove the commas between thousands ${inQuery}`;
  return `Correct the value, or read it as missing (--na ${columnList([wrong])}).`;
}
