import type { ValueType } from "../columns/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import {
  isNumeric,
  isoDate,
  isVisible,
  numberOfText,
  textOf,
  timeInUtc,
  timeOfText,
  timestampOfText,
  trimmed,
} from "./columnTypes.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

const TEXT = /^(VARCHAR|JSON|UUID|ENUM\(.*\)|"NULL")$/;
const MILLISECONDS_PER_DAY = 86_400_000;

/** The type of the values of a column; undefined if no model can use them, such as lists, structures and binary data. */
export function valueTypeOf(column: Column): ValueType | undefined {
  const { type } = column;
  if (TEXT.test(type)) return "text";
  if (type === "BOOLEAN") return "boolean";
  if (type === "DATE") return "date";
  if (/^TIMESTAMP(_\w+)?( WITH TIME ZONE)?$/.test(type)) return "timestamp";
  if (/^TIME( WITH TIME ZONE)?$/.test(type)) return "time";
  if (!isNumeric(column)) return undefined;
  return /INT|BIGNUM|,0\)$/.test(type) ? "integer" : "number";
}

/** Whether the values of a column have a time zone. They become UTC. */
export const hasTimeZone = (column: Column): boolean =>
  column.hasTimeZone === true || column.type.endsWith(" WITH TIME ZONE");

/**
 * The SQL of the values of a column as text. Text without a visible character is NULL, because it stands for a missing value. `prefix`
 * precedes the name of the column, such as `original.`; by default there is none.
 */
export function textExpression(table: Table, { name, type }: Column, prefix = ""): string {
  const text = textOf(`${prefix}${quotedIdentifier(name)}`, type);
  return isText(table, type) ? `CASE WHEN ${isVisible(text)} THEN ${text} END` : text;
}

/** The values of text files are text, whatever the type that they represent. */
export const isText = (table: Table, type: string): boolean =>
  table.relation.text !== undefined || TEXT.test(type);

/** For each type, the types whose values can be converted to it. Text can be converted to every type if it represents a value of it. */
const CONVERTIBLE: Readonly<Record<Exclude<ValueType, "text">, readonly (ValueType | undefined)[]>> = {
  number: ["number", "integer"],
  integer: ["number", "integer"],
  boolean: ["boolean", "number", "integer"],
  date: ["date", "timestamp"],
  timestamp: ["date", "timestamp"],
  time: ["time"],
};

/**
 * The SQL of the values of a column as numbers of a type: dates and timestamps in milliseconds since 1970-01-01, times in milliseconds
 * since midnight, both in UTC if they have a time zone, booleans as 0 and 1. Text that does not represent a value of the type becomes
 * NULL. Undefined if the type of the column cannot be converted.
 */
export function numberExpression(
  table: Table,
  column: Column,
  type: Exclude<ValueType, "text">,
): string | undefined {
  const from = valueTypeOf(column);
  if (from !== "text" && !CONVERTIBLE[type].includes(from)) return undefined;
  const isStoredAsText = isText(table, column.type);
  const value = isStoredAsText ? textExpression(table, column) : quotedIdentifier(column.name);
  const number = isStoredAsText ? numberOfText(value) : `TRY_CAST(${value} AS DOUBLE)`;
  switch (type) {
    case "number":
    case "integer":
      return number;
    case "boolean":
      // A cast to BOOLEAN accepts neither the text 1.0 nor white space around a word. NaN is a missing value.
      return from === "number" || from === "integer"
        ? `CASE WHEN ${number} IN (0, 1, 'NaN') THEN ${number} END`
        : `CAST(TRY_CAST(${isStoredAsText ? trimmed(value) : value} AS BOOLEAN) AS DOUBLE)`;
    case "date":
    case "timestamp":
      return milliseconds(isStoredAsText ? timestampOfText(isoText(value, column)) : value, column);
    case "time":
      // 24:00 is the same time as 0:00.
      return `epoch_ms(${isStoredAsText ? timeOfText(trimmed(value)) : timeOfDay(value, column)}) % ${MILLISECONDS_PER_DAY}`;
  }
}

/** The SQL of a date or time as text with the year first, as ISO 8601 has it. */
export const isoText = (text: string, { dateOrder }: Column): string =>
  dateOrder === "dayFirst" || dateOrder === "monthFirst" ? isoDate(trimmed(text), dateOrder) : trimmed(text);

/** The SQL of a time of day as a TIME. */
const timeOfDay = (time: string, column: Column): string =>
  hasTimeZone(column) ? timeInUtc(time) : `CAST(${time} AS TIME)`;

/** Milliseconds since 1970-01-01, rounded down. Infinite times stay infinite. */
function milliseconds(time: string, { type }: Column): string {
  // A time with a time zone is not truncated in SQL, because DuckDB would use the time zone of this machine.
  const rounded =
    type === "DATE" || type === "TIMESTAMP WITH TIME ZONE" ? time : `date_trunc('milliseconds', ${time})`;
  return `CASE WHEN isinf(${time}) THEN CAST('Infinity' AS DOUBLE) ELSE epoch_ms(${rounded}) END`;
}
