import { PushforwardError, shortened } from "../../check/index.ts";
import { countValues, type ValueCounts } from "../../dataset/index.ts";
import { COLUMN_KINDS, type ColumnKind, isNumericKind, isTimeKind } from "../options/index.ts";
import { checkBoolean } from "./booleanColumn.ts";
import type { ColumnOptions } from "./columnOptions.ts";
import { numericColumn } from "./numericColumn.ts";
import { MIN_ROWS_FOR_IDS, MIN_SHARE_OF_IDS, rowIdentifier } from "./rowIdentifier.ts";
import type { RawColumn, TableColumn } from "./tableColumn.ts";
import { MAX_YEARS, timeParts } from "./timeParts.ts";
import { typedText } from "./typedText.ts";

/** A column as it was inferred, or why it is left out. */
export type InferredColumn = { readonly column: TableColumn } | { readonly excluded: string };

/** Text columns with more different values are left out. */
export const MAX_LABELS = 2000;
const MILLISECONDS_PER_YEAR = 365.2425 * 86_400_000;
/** The kinds of a column of numbers, apart from `exclude`, which all columns can have. */
const KINDS_OF_NUMBERS = COLUMN_KINDS.filter(
  (kind) => !isTimeKind(kind) && kind !== "constant" && kind !== "exclude",
);

/** Chooses the kind of a column by its type, its values and the options of the user. */
export function inferColumn(raw: RawColumn, options: ColumnOptions = {}): InferredColumn {
  const { name, type, values } = raw;
  const form = formOf(raw);
  if (options.kind === "exclude") return { excluded: "as requested" };
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const gaps = present.length < values.length;
  const counted = countValues(present);
  if (counted.values.length === 0)
    return { column: { kind: "constant", name, ...form, gaps: false, value: null } };
  if (options.kind === "constant" && (counted.values.length > 1 || gaps))
    throw notConstant(name, counted, gaps);
  if (counted.values.length === 1 && !gaps) {
    const [only] = counted.values as [number];
    return { column: { kind: "constant", name, ...form, gaps: false, value: textOf(raw, only) } };
  }
  const isTime = type === "date" || type === "timestamp" || type === "time";
  const isCategorical = options.kind === "categorical" || (options.kind === "boolean" && !isTime);
  if (counted.values.length === 1) checkSingleValue(name, options);
  if (type === "text" || type === "boolean" || isCategorical || counted.values.length === 1)
    return categorical(raw, counted, gaps, options);
  if (isTime) {
    checkKind(raw, options, [type, "categorical"]);
    checkNoBounds(name, type, options);
    const years = (present[present.length - 1] - present[0]) / MILLISECONDS_PER_YEAR;
    if (years > MAX_YEARS) return { excluded: `dates that are more than ${MAX_YEARS} years apart` };
    return { column: { kind: "time", name, ...form, type, gaps, ...timeParts(type, values) } };
  }
  return numeric({ ...raw, type }, counted, gaps, options);
}

/** The type of the values of a column, and whether they are `Date` objects. */
const formOf = ({ type, isDateObject }: RawColumn) => ({ type, ...(isDateObject && { isDateObject }) });

/** The value of a column as text. */
const textOf = ({ type, labels }: RawColumn, value: number): string =>
  type === "text" ? labels![value] : typedText(type, value);

/** Throws `ARGUMENT` for a kind that a column with a single value beside missing ones cannot have. */
function checkSingleValue(name: string, { kind }: ColumnOptions): void {
  if (kind === undefined || kind === "categorical" || kind === "boolean") return;
  throw new PushforwardError("ARGUMENT", `column "${name}" cannot be ${kind}`, {
    expected: "categorical or exclude",
    received: "a single value, and missing values",
    hint: "Leave out its kind: the column is then categorical.",
  });
}

function checkKind(raw: RawColumn, { kind }: ColumnOptions, allowed: readonly string[]): void {
  const { name, type } = raw;
  if (kind === undefined || allowed.includes(kind)) return;
  throw new PushforwardError("ARGUMENT", `column "${name}" cannot be ${kind}`, {
    expected: [...allowed, "exclude"].join(" or "),
    received: type === "text" ? firstText(raw, kind) : `values of the type ${type}`,
    hint: "State another kind, or convert the column.",
  });
}

/** The first text that does not have the kind, and its row. No text has a kind of numbers or times, not even text of digits. */
function firstText({ values, labels }: RawColumn, kind: ColumnKind): string {
  const isText = (value: number) => !Number.isNaN(value);
  const isNoNumber = (value: number) => isText(value) && Number.isNaN(Number(labels![value]));
  const noNumber = isNumericKind(kind) ? values.findIndex(isNoNumber) : -1;
  const row = noNumber >= 0 ? noNumber : values.findIndex(isText);
  return `the text '${shortened(labels![values[row]], 40)}' in row ${row + 1}`;
}

/** Throws `ARGUMENT` if bounds or a period are stated for a column that is not one of numbers. */
function checkNoBounds(name: string, kind: string, { low, high, period }: ColumnOptions): void {
  const stated = Object.entries({ low, high, period }).filter(([, value]) => value !== undefined);
  if (stated.length === 0) return;
  throw new PushforwardError(
    "ARGUMENT",
    `low, high and period have no effect on the kind ${kind} of column "${name}"`,
    {
      received: stated.map(([option, value]) => `${option}: ${value}`).join(", "),
      hint: "Leave them out, or state a kind of numbers, such as integer.",
    },
  );
}

const notConstant = (name: string, { values }: ValueCounts, gaps: boolean): PushforwardError =>
  new PushforwardError("ARGUMENT", `column "${name}" cannot be constant`, {
    expected: "one value in all rows",
    received: `${values.length} different values${gaps ? " and missing ones" : ""}`,
  });

/** Why text is left out of a model; undefined if its values are labels. */
export function textExclusion({
  distinct,
  rows,
  isExact = true,
}: {
  readonly distinct: number;
  readonly rows: number;
  /** Whether `distinct` is exact. */
  readonly isExact?: boolean;
}): string | undefined {
  const count = `${isExact ? "" : "about "}${distinct}`;
  if (rows >= MIN_ROWS_FOR_IDS && distinct >= MIN_SHARE_OF_IDS * rows)
    return `text whose values are nearly all different (${count} in ${rows} rows)`;
  return distinct > MAX_LABELS ? `text with ${count} different values` : undefined;
}

function categorical(
  raw: RawColumn,
  { values, counts, rows }: ValueCounts,
  gaps: boolean,
  options: ColumnOptions,
): InferredColumn {
  const { name, type } = raw;
  const isText = type === "text";
  if (isText || type === "boolean") checkKind(raw, options, ["boolean", "categorical"]);
  // A column of numbers with one value and missing ones is categorical too, whatever its bounds are.
  if (isText || type === "boolean" || options.kind === "categorical" || options.kind === "boolean")
    checkNoBounds(name, options.kind ?? "categorical", options);
  if (isText && options.kind === undefined) {
    const reason = textExclusion({ distinct: values.length, rows });
    if (reason !== undefined) return { excluded: reason };
  }
  // Text: the most frequent label first, and equally frequent ones in alphabetical order. Numbers stay in ascending order.
  const order = values.map((_, i) => i);
  const texts = values.map((value) => textOf(raw, value));
  if (isText) order.sort((a, b) => counts[b] - counts[a] || (texts[a] < texts[b] ? -1 : 1));
  const isBoolean = options.kind === "boolean" && type !== "boolean";
  if (isBoolean) checkBoolean(name, texts);
  const labels = order.map((i) => texts[i]);
  return {
    column: { kind: "categorical", name, ...formOf(raw), ...(isBoolean && { isBoolean }), gaps, labels },
  };
}

/** Columns of numbers. Integers that identify rows are left out, unless a kind is stated. */
function numeric(
  raw: RawColumn & { readonly type: "number" | "integer" },
  counted: ValueCounts,
  gaps: boolean,
  options: ColumnOptions,
): InferredColumn {
  const { name, type, values } = raw;
  const { kind } = options;
  if (kind && isTimeKind(kind)) checkKind(raw, options, KINDS_OF_NUMBERS);
  if (kind === undefined && counted.values.every(Number.isInteger)) {
    const reason = rowIdentifier(name, values, counted);
    if (reason !== undefined) return { excluded: reason };
  }
  const inferred = numericColumn({ name, gaps, type }, counted, options);
  return inferred === "labels" ? categorical(raw, counted, gaps, options) : inferred;
}
