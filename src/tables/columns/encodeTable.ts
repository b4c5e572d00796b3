import { listedNames, nearestName, PushforwardError } from "../../check/index.ts";
import { rowMajor } from "../../dataset/index.ts";
import { withBooleanLabels } from "./booleanColumn.ts";
import { encodeColumn, labelCodes, positionsInColumn } from "./encode.ts";
import { featureNames, type RawColumn, type TableColumn, type ValueType } from "./tableColumn.ts";
import { bigintOf, rawColumns, type TableInput, type TableRow, textType } from "./tableRows.ts";
import { typedText } from "./typedText.ts";
import { UnlearnedCounts, type UnlearnedValues } from "./unlearned.ts";

/** Rows of a table as features of a model. */
export interface EncodedTable {
  readonly rows: number;
  /** [rows, features] in row-major order, NaN for missing values and for columns that are not encoded. */
  readonly values: Float64Array;
  /** [rows], values of `ROW_STATUS`. */
  readonly status: Uint8Array;
  /** The values that the model did not learn, by column. Rows are counted from 0. */
  readonly unlearned: readonly UnlearnedValues[];
  /** The values of row n that are not missing, in the form in which a model returns rows. */
  present(n: number): TableRow;
}

/**
 * Encodes the columns `names` of a table for a model with `columns`. The table may have more columns. With `positions` the features are those
 * of `positionsInColumn`, and values in no cell of a lattice are valid.
 *
 * @throws DATA for a name that the model or the table does not have, and for a column of a different type from the one that the model learned.
 */
export function encodeTable(
  columns: readonly TableColumn[],
  table: TableInput,
  names: readonly string[],
  { positions = false } = {},
): EncodedTable {
  checkNames(columns, names);
  const texts = columns.filter(({ type }) => type === "text").map(({ name }) => name);
  // An empty array has no columns, but is a table without rows.
  const isEmpty = Array.isArray(table) && table.length === 0;
  const raw = isEmpty
    ? names.map(emptyColumn)
    : rawColumns(table, new Set(texts), (name) => names.includes(name));
  const rows = isEmpty ? 0 : raw[0].values.length;
  const status = new Uint8Array(rows);
  const unlearned = new UnlearnedCounts();
  const encoded: { readonly column: TableColumn; readonly source: RawColumn }[] = [];
  const features: Float64Array[] = [];
  for (const column of columns) {
    if (!names.includes(column.name)) {
      features.push(...featureNames(column).map(() => new Float64Array(rows).fill(Number.NaN)));
      continue;
    }
    const source = sourceOf(column, raw, names);
    encoded.push({ column, source });
    const learned = column.kind === "constant" ? matches(column.value, source) : labelCodes(column, source);
    const ofColumn = positions ? positionsInColumn(column, learned) : encodeColumn(column, learned);
    const block = { values: learned, features: ofColumn, arePositions: positions, start: 0 };
    for (const found of unlearned.count(column, block, status)) found.value = textOf(source, found.row);
    features.push(...ofColumn);
  }
  const present = (n: number): TableRow =>
    Object.fromEntries(
      encoded.flatMap(({ column, source }) =>
        Number.isNaN(source.values[n]) ? [] : [[column.name, presentValue(column, source, n)]],
      ),
    );
  return { rows, values: rowMajor(features, rows), status, unlearned: unlearned.found(columns), present };
}

/** Throws `DATA` if a name is not that of a column of the model. */
export function checkNames(columns: readonly TableColumn[], names: readonly string[]): void {
  const modelNames = columns.map(({ name }) => name);
  const unknown = names.find((name) => !modelNames.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, modelNames);
  throw new PushforwardError("DATA", `the model has no column "${unknown}"`, {
    expected: `one of ${listedNames(modelNames)}`,
    ...(nearest !== undefined && { hint: `Did you mean "${nearest}"?` }),
  });
}

const emptyColumn = (name: string): RawColumn => ({ name, type: "number", values: new Float64Array(0) });

/** For each type of a column of the model, the types that the values of a table may have there. */
const READABLE: Readonly<Record<ValueType, readonly ValueType[]>> = {
  number: ["number", "integer"],
  integer: ["number", "integer"],
  boolean: ["boolean"],
  text: ["text"],
  date: ["date", "timestamp"],
  timestamp: ["date", "timestamp"],
  time: ["time"],
};

/** The values of a table in a column of the model. Throws `DATA` if the table lacks the column, or has values of another type. */
function sourceOf(column: TableColumn, raw: readonly RawColumn[], names: readonly string[]): RawColumn {
  const { name, type } = column;
  const found = raw.find((each) => each.name === name);
  if (!found) {
    throw new PushforwardError("DATA", `the rows have no column "${name}"`, {
      expected: listedNames(names),
      received: listedNames(raw.map((each) => each.name)),
    });
  }
  // A column without values in training has no type.
  if (column.kind === "constant" && column.value === null) return found;
  const source = withBooleanLabels(column, found);
  // The type is that of the model: in a column of time stamps, dates are written as time stamps too.
  if (READABLE[type].includes(source.type) || source.values.every(Number.isNaN)) return { ...source, type };
  throw new PushforwardError("DATA", `column "${name}" has a different type from the training table`, {
    expected: typeName(type),
    received: receivedType(source, type),
    hint: `Convert its values to ${typeName(type)}, or fit the model again.`,
  });
}

/** Models of integers and of real numbers read both. */
const typeName = (type: ValueType): string =>
  type === "integer" || type === "number" ? "numbers" : `values of the type ${type}`;

/** The type of a column for messages. For text, with the first text that is not of the type `expected`. */
function receivedType({ type, labels = [] }: RawColumn, expected: ValueType): string {
  if (type !== "text") return typeName(type);
  const text = labels.find((label) => textType(label) !== expected);
  return text === undefined ? "text" : `text, such as ${JSON.stringify(text)}`;
}

/** 1 for the values of a column that are equal to a constant, 0 for others, and NaN for missing ones. */
const matches = (constant: string | null, source: RawColumn): Float64Array =>
  source.values.map((value, n) => (Number.isNaN(value) ? value : textOf(source, n) === constant ? 1 : 0));

/** A value as text, as the constant of a column is written; undefined if it is missing. */
function textOf(source: RawColumn, n: number): string | undefined {
  const { type, labels, values } = source.exactText ?? source;
  if (Number.isNaN(values[n])) return undefined;
  return type === "text" ? labels![values[n]] : typedText(type, values[n]);
}

/** A value that is not missing, as a model returns it. */
function presentValue(column: TableColumn, source: RawColumn, n: number): NonNullable<TableRow[string]> {
  if ("isDateObject" in column) return new Date(source.values[n]);
  if (source.type === "boolean") return source.values[n] === 1;
  if ("isBigint" in column && source.exactText) return bigintOf(textOf(source, n)!);
  const isNumber = source.type === "number" || source.type === "integer";
  const value = isNumber ? source.values[n] : textOf(source, n)!;
  return "isBigint" in column ? bigintOf(value) : value;
}
