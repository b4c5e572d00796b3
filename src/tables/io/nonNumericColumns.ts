import { PushforwardError, shortened } from "../../check/index.ts";
import {
  DATE_LIKE,
  NUMBER_WITH_UNIT,
  type TextCounts,
  THOUSANDS,
  WITH_DECIMAL_COMMA,
} from "../columns/index.ts";
import { columnList, quotedIdentifier } from "../options/index.ts";
import { numberOfText, textOf, trimmed } from "./columnTypes.ts";
import { stringLiteral } from "./database.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

/** A column that is not numeric, and why. */
export interface NonNumericColumn {
  readonly name: string;
  /** The name and the reason, for messages. */
  readonly description: string;
  /**
   * `labels`: text that may name classes. `numbers`: text that contains only numbers. `words`: numbers and a few words, such as
   * codes for missing values. `decimalCommas`: numbers with decimal commas. `thousands`: numbers with commas between thousands.
   * `commas`: numbers whose commas may be either.
   */
  readonly kind: "other" | "labels" | "numbers" | "decimalCommas" | "thousands" | "commas" | "words";
  /** The first distinct strings that are not numbers, at most eight. */
  readonly words: readonly string[];
  /** Whether `words` has all strings that are not numbers. */
  readonly hasAllWords: boolean;
}

/** A column with more different words does not use them as codes for missing values, so `--na` is not suggested for them. */
const MAX_WORDS = 8;
/** At most this many different dates are read to find one that shows whether the day or the month comes first. */
const MAX_DATES = 1000;
/**
 * `checkFewWords` throws an error for at most this many different words. With more, the column is left out or its values become labels, and
 * a remark says so.
 */
const MAX_FEW_WORDS = 4;

/** Describes a column that is not numeric by its type, without reading its values. */
export const describeByType = ({ name, type }: Column): NonNumericColumn => ({
  name,
  description: `"${name}" (${shortened(type)})`,
  kind: "other",
  words: [],
  hasAllWords: false,
});

/** Reads a column that is not numeric to find out why. */
export async function examineColumn(table: Table, { name, type }: Column): Promise<NonNumericColumn> {
  const byType = describeByType({ name, type });
  if (type === "BOOLEAN") return { ...byType, kind: "labels" };
  if (type !== "VARCHAR" && type !== "JSON") return byType;
  const value = textOf(quotedIdentifier(name), type);
  const from = `(SELECT row_number() OVER () AS row, ${value} AS value FROM ${table.relation.sql})`;
  const [counts] = await table.database.run(
    `SELECT count(value), count(${numberOfText("value")}), count_if(regexp_full_match(value, '${WITH_DECIMAL_COMMA}')),
      count_if(regexp_full_match(value, '${THOUSANDS}')) FROM ${from}`,
  );
  const [values, numbers, decimals, thousands] = counts!.map(Number) as [number, number, number, number];
  if (values === 0) return { ...byType, description: `"${name}" (only missing values)` };
  if (numbers === values)
    return { ...byType, description: `"${name}" (numbers as ${type})`, kind: "numbers" };
  const commas = Math.max(decimals, thousands);
  if (2 * (numbers + commas) <= values) {
    return { ...byType, kind: type === "VARCHAR" ? "labels" : "other" };
  }
  const found = await otherTexts(table, from, "DOUBLE", MAX_WORDS + 1);
  const words = found.map(([word]) => word);
  const kind =
    numbers + commas < values
      ? "words"
      : decimals < commas
        ? "thousands"
        : thousands < commas
          ? "decimalCommas"
          : "commas";
  const shownWords = found.slice(0, kind === "words" ? 3 : 1).map(textInRow(table));
  const more = kind === "words" && words.length > 3 ? " and more" : "";
  return {
    name,
    description: `"${name}" (${shownWords.join(", ")}${more})`,
    kind,
    words: words.slice(0, MAX_WORDS),
    hasAllWords: words.length <= MAX_WORDS,
  };
}

/** The first distinct strings that are not values of a type, with the first row of each. `from` has the columns `row` and `value`. */
const otherTexts = async (
  table: Table,
  from: string,
  type: "DOUBLE" | "TIMESTAMP",
  limit: number,
): Promise<[text: string, row: string][]> =>
  (await table.database.run(
    `SELECT value, min(row) AS first FROM ${from} WHERE value IS NOT NULL AND ${type === "DOUBLE" ? numberOfText("value") : "TRY_CAST(value AS TIMESTAMP)"} IS NULL
      GROUP BY value ORDER BY first LIMIT ${limit}`,
  )) as [string, string][];

const textInRow =
  (table: Table) =>
  ([text, row]: readonly [string, string]): string =>
    `'${shortened(text, 40)}' in ${table.rowText(Number(row))}`;

/**
 * Checks a column of text that would be useless because of a few words among its numbers or dates: it would be left out, or each date would be
 * a label. `isLeftOut` says which. In a column of numbers that is not left out, the words may be codes, for which labels are right.
 *
 * @throws DATA with these words and their rows, if more than half of the values are dates or numbers, and at most four distinct strings are
 *   not.
 */
export async function checkFewWords(table: Table, name: string, isLeftOut: boolean): Promise<void> {
  const value = quotedIdentifier(name);
  const from = `(SELECT row_number() OVER () AS row, ${value} AS value FROM ${table.relation.sql})`;
  const [counts] = await table.database.run(
    `SELECT count(value), count(TRY_CAST(value AS TIMESTAMP)), count(${numberOfText("value")}) FROM ${from}`,
  );
  const [present, dates, numbers] = counts!.map(Number) as [number, number, number];
  const areDates = dates > numbers;
  const readable = areDates ? dates : numbers;
  if (2 * readable <= present || readable === present || !(areDates || isLeftOut)) return;
  const found = await otherTexts(table, from, areDates ? "TIMESTAMP" : "DOUBLE", MAX_FEW_WORDS + 1);
  if (found.length > MAX_FEW_WORDS) return;
  const what = `Column "${name}" of ${table.source} has ${areDates ? "dates" : "numbers"}, but not in all rows`;
  throw new PushforwardError("DATA", what, {
    received: found.map(textInRow(table)).join(", "),
    hint: `Correct them, read them as missing (--na ${columnList(found.map(([text]) => text))}), or leave the column out (--exclude ${columnList([name])}).`,
  });
}

/** Counts the numbers and dates in a column of text. */
export async function countTextOfColumn(table: Table, name: string): Promise<TextCounts> {
  const isNumber = `${numberOfText("value")} IS NOT NULL`;
  const text = trimmed("value");
  const isDateLike = `regexp_full_match(${text}, '${DATE_LIKE}')`;
  const isImpossible = `(${isDateLike} AND regexp_matches(${text}, '^\\d{4}-\\d{1,2}-\\d{1,2}') AND TRY_CAST(${text} AS TIMESTAMP) IS NULL)`;
  const from = `(SELECT ${quotedIdentifier(name)} AS value FROM ${table.relation.sql})`;
  const [counts] = await table.database.run(
    `SELECT count(value), count_if(${isNumber}), count_if(regexp_full_match(${text}, '${WITH_DECIMAL_COMMA}|${THOUSANDS}')),
      count_if(regexp_full_match(${text}, '${THOUSANDS}')), count_if(regexp_full_match(${text}, ${stringLiteral(NUMBER_WITH_UNIT)})),
      count_if(${isDateLike}), count_if(${isImpossible}), count_if(${isNumber} AND regexp_matches(value, '^0\\d')) FROM ${from}`,
  );
  const [present, numbers, commas, thousands, units, dateLike, impossible, codes] = counts!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const someDates = await table.database.run(
    `SELECT DISTINCT value FROM ${from} WHERE ${isDateLike} ORDER BY value LIMIT ${MAX_DATES}`,
  );
  // A few impossible dates are mistakes. If they are many, the format is another one, such as year, day and month.
  const areMistakes = 2 * impossible < dateLike;
  const dates = areMistakes ? dateLike - impossible : dateLike;
  const isDate = areMistakes ? `(${isDateLike} AND NOT ${isImpossible})` : isDateLike;
  const words = await table.database.run(
    `SELECT value FROM ${from} WHERE NOT (${2 * dates > present ? isDate : isNumber}) GROUP BY value ORDER BY count(*) DESC, value LIMIT ${MAX_WORDS + 1}`,
  );
  return {
    present,
    numbers,
    areCodes: codes > 0,
    commas,
    thousands,
    units,
    dates,
    someDates: someDates.map(([date]) => String(date)),
    words: words.map(([word]) => shortened(String(word), 40)),
  };
}
