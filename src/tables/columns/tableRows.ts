import { brief, PushforwardError } from "../../check/index.ts";
import type { RawColumn, TableColumn, ValueType } from "./tableColumn.ts";
import { typedText } from "./typedText.ts";

/**
 * A value in a table. null, undefined, NaN and "" are missing. Text in the form of ISO 8601 is a date or a time. Integers beyond 2^53 are exact as
 * bigints, but not as numbers.
 */
export type TableValue = number | bigint | string | boolean | Date | null | undefined;

/** A table: an array of objects of the type `Row`, which may be an interface, or columns by name. */
export type TableInput<Row extends object = Readonly<Record<string, TableValue>>> =
  | readonly (Row & { readonly [K in keyof Row & string]?: TableValue })[]
  | Readonly<Record<string, ArrayLike<TableValue>>>;

/**
 * A row of a table as models return it: numbers, labels, booleans and dates, which are `Date` objects if the training rows had such, and
 * otherwise text in ISO 8601; bigints in columns in which all training values were bigints; null is missing.
 */
export type TableRow = Record<string, number | bigint | string | boolean | Date | null>;

/**
 * A row with the columns of `Row` as models return it. It lacks the columns that the model leaves out. A column of numbers and bigints has
 * numbers, or text if numbers do not have all digits of its values.
 */
export type ReturnedRow<Row> = {
  [K in keyof Row]-?:
    | Exclude<Row[K], undefined>
    | (bigint extends Row[K] ? (number extends Row[K] ? string : never) : never)
    | null;
};

const ISO_DATE = /^\d{4}-\d\d-\d\d$/;
const ISO_TIME = /^\d\d:\d\d(:\d\d(\.\d+)?)?$/;
const ISO_TIMESTAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[-+]\d\d:?\d\d)?$/;

/**
 * The columns of a table, in the order in which its rows first name them. The columns `texts` stay text even if their values look like
 * dates. Columns that are not read have missing values. Throws `DATA` if the values of a column do not have one type.
 */
export function rawColumns(
  table: TableInput,
  texts: ReadonlySet<string> = new Set(),
  isRead: (name: string) => boolean = () => true,
): RawColumn[] {
  const rawColumn = (name: string, rows: number, at: (n: number) => TableValue) =>
    readColumn(name, rows, isRead(name) ? at : () => null, texts.has(name));
  if (typeof table !== "object" || table === null) throw unknownForm(String(table));
  if (Array.isArray(table)) {
    const rows = table as readonly Readonly<Record<string, TableValue>>[];
    const isObject = (row: unknown) => typeof row === "object" && row !== null && !Array.isArray(row);
    const badIndex = rows.findIndex((row) => !isObject(row) || row instanceof Map);
    if (badIndex >= 0)
      throw unknownForm(
        `rows[${badIndex}], which is ${rows[badIndex] instanceof Map ? "a Map" : "not an object"}`,
      );
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    if (names.length === 0) throw unknownForm(rows.length === 0 ? "no rows" : "rows without columns");
    return names.map((name) => rawColumn(name, rows.length, (n) => rows[n][name]));
  }
  if (table instanceof Map) throw unknownForm("a Map");
  const columns = Object.entries(table as Readonly<Record<string, ArrayLike<TableValue>>>);
  if (columns.length === 0) throw unknownForm("no columns");
  const single = columns.find(
    ([, values]) => typeof values?.length !== "number" || typeof values === "string",
  );
  if (single)
    throw unknownForm(`the value ${brief(single[1])} for "${single[0]}"`, "For a single row, write [row].");
  const rows = columns[0][1].length;
  return columns.map(([name, values]) => {
    if (values.length !== rows) {
      throw new PushforwardError("SHAPE", `column "${name}" has a different length`, {
        expected: `${rows} values, as in "${columns[0][0]}"`,
        received: `${values.length}`,
      });
    }
    return rawColumn(name, rows, (n) => values[n]);
  });
}

/** The rows of a table as objects. */
export function rowObjects(table: TableInput): Readonly<Record<string, TableValue>>[] {
  if (Array.isArray(table)) return [...table];
  const columns = Object.entries(table as Readonly<Record<string, ArrayLike<TableValue>>>);
  return Array.from({ length: columns[0]?.[1].length ?? 0 }, (_, n) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[n]])),
  );
}

const unknownForm = (received: string, hint?: string): PushforwardError =>
  new PushforwardError("ARGUMENT", "the table cannot be read", {
    expected: "an array of objects, or an object with an array for each column",
    received,
    hint,
  });

const isMissing = (value: TableValue): value is null | undefined =>
  value === null || value === undefined || value === "" || Number.isNaN(value);

function readColumn(name: string, rows: number, at: (n: number) => TableValue, isText: boolean): RawColumn {
  let type: ValueType | undefined = isText ? "text" : undefined;
  let isDateObject = !isText;
  let isBigint = !isText;
  for (let n = 0; n < rows && !isText; n++) {
    const value = at(n);
    if (isMissing(value)) continue;
    const own = typeOf(value, name, n);
    const common: ValueType | undefined = type === undefined ? own : commonType(type, own);
    if (common === undefined) {
      throw new PushforwardError(
        "DATA",
        `rows[${n}], column "${name}" has a different type from the rows before`,
        {
          expected: type === "integer" ? "number" : type,
          received: `${typeof value === "bigint" ? value : JSON.stringify(value)} (${own})`,
          hint: "Convert the column to one type.",
        },
      );
    }
    type = common;
    isDateObject &&= value instanceof Date;
    isBigint &&= typeof value === "bigint";
  }
  isDateObject &&= type !== undefined;
  isBigint &&= type !== undefined;
  type ??= "number";
  const codes = new Map<string, number>();
  const values = Float64Array.from({ length: rows }, (_, n) => {
    const value = at(n);
    if (isMissing(value)) return Number.NaN;
    if (type === "text") {
      const text = String(value);
      if (!codes.has(text)) codes.set(text, codes.size);
      return codes.get(text)!;
    }
    if (type === "date" || type === "timestamp" || type === "time")
      return millisecondsOf(value as string | Date);
    return Number(value);
  });
  const exactText =
    type === "integer" && values.some((value, n) => isLargeBigint(at(n), value))
      ? readColumn(name, rows, at, true)
      : undefined;
  return {
    name,
    type,
    ...(isDateObject && { isDateObject: true as const }),
    ...(isBigint && { isBigint: true as const }),
    values,
    ...(type === "text" && { labels: [...codes.keys()] }),
    ...(exactText && { exactText }),
  };
}

const isLargeBigint = (value: TableValue, number: number): boolean =>
  typeof value === "bigint" && !Number.isSafeInteger(number);

function typeOf(value: Exclude<TableValue, null | undefined>, name: string, n: number): ValueType {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "bigint") return "integer";
  if (value instanceof Date && !Number.isNaN(value.getTime())) return typeOfDate(value);
  if (typeof value === "string") return textType(value);
  if (typeof value === "number" && Number.isFinite(value))
    return Number.isInteger(value) ? "integer" : "number";
  throw new PushforwardError("DATA", `rows[${n}], column "${name}" has a value that cannot be read`, {
    expected: "a finite number, text, a boolean, a date, or null",
    received: String(value),
  });
}

/** The type of the value that a string represents: a date or a time if it is a valid one in ISO 8601, else text. 2024-02-30 and 12:75 are text. */
export function textType(text: string): ValueType {
  if (ISO_TIME.test(text)) return Number.isNaN(millisecondsOf(text)) ? "text" : "time";
  const type = ISO_DATE.test(text) ? "date" : ISO_TIMESTAMP.test(text) ? "timestamp" : "text";
  return type === "text" || !hasValidDay(text) || Number.isNaN(millisecondsOf(text)) ? "text" : type;
}

/** Whether a string begins with a day that exists. `Date.parse` reads February 30 as March 1. */
const hasValidDay = (text: string): boolean =>
  new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));

const typeOfDate = (date: Date): "date" | "timestamp" =>
  date.getTime() % 86_400_000 === 0 ? "date" : "timestamp";

/** A date as text in ISO 8601, without the time if it is midnight. */
export const dateText = (date: Date): string => typedText(typeOfDate(date), date.getTime());

/**
 * The type that includes the values of both types; undefined if there is none. Dates and times are included in text, because some texts of
 * a column may look like dates.
 */
function commonType(a: ValueType, b: ValueType): ValueType | undefined {
  const [first, second] = [a, b].sort();
  if (first === second) return a;
  if (first === "integer" && second === "number") return "number";
  if (first === "date" && second === "timestamp") return "timestamp";
  const times = ["date", "time", "timestamp"];
  return [a, b].includes("text") && (times.includes(a) || times.includes(b)) ? "text" : undefined;
}

/**
 * Milliseconds since 1970-01-01, or since midnight for a time of day. Text without a time zone is in UTC, so that results do not depend on
 * the machine.
 */
export function millisecondsOf(value: string | Date): number {
  if (value instanceof Date) return value.getTime();
  if (ISO_DATE.test(value)) return Date.parse(value);
  if (ISO_TIME.test(value)) return Date.parse(`1970-01-01T${value}Z`);
  return Date.parse(/(Z|[-+]\d\d:?\d\d)$/.test(value) ? value : `${value.replace(" ", "T")}Z`);
}

/** A value that `decodeRows` returns, for JavaScript: see `TableRow`. */
export function tableValue(column: TableColumn, value: number): TableRow[string] {
  if (Number.isNaN(value)) return null;
  const { kind, type } = column;
  if (kind === "time" && column.isDateObject) return new Date(value);
  if ((kind === "continuous" || kind === "lattice") && column.isBigint) return bigintOf(Math.round(value));
  const text =
    kind === "constant"
      ? column.value
      : kind === "categorical"
        ? // A label that was not learned has no text.
          (column.labels[value] ?? null)
        : typedText(type, value);
  if (text === null) return null;
  if (type === "boolean") return text === "true";
  if ("isDateObject" in column) return new Date(millisecondsOf(text));
  if ("isBigint" in column) return bigintOf(text);
  return type === "number" || type === "integer" ? Number(text) : text;
}

/** A value of a column of bigints: integers become bigints, and other values stay as they are. */
export const bigintOf = <T extends number | string>(value: T): bigint | T =>
  Number.isInteger(value) || /^-?\d+$/.test(`${value}`) ? BigInt(value) : value;
