import { brief, PushforwardError } from "../check/index.ts";

/**
 * Rows of numbers in one of four forms:
 *
 * - a flat array in row-major order, such as a `Float64Array` of `rows * features` numbers,
 * - an array of rows, `[[1, 2], [3, 4]]`,
 * - an array of objects with the same keys, `[{ x: 1, y: 2 }, { x: 3, y: 4 }]`,
 * - columns by name, `{ x: [1, 3], y: [2, 4] }`.
 *
 * `Row` is the type of the objects. It may be an interface, which is not assignable to a `Record`.
 */
export type RowsInput<Row extends object = Readonly<Record<string, number>>> =
  | ArrayLike<number>
  | readonly ArrayLike<number>[]
  | readonly Readonly<Record<string, number>>[]
  | readonly (Row & { readonly [K in keyof Row]: number })[]
  | Readonly<Record<string, ArrayLike<number>>>;

/** Rows as one flat array, which is a copy of the input. */
export interface FlatRows {
  readonly rows: number;
  readonly features: number;
  /** [rows, features] in row-major order. */
  readonly values: Float64Array;
  /** Names of the features, if the input has names. */
  readonly columns?: readonly string[];
}

interface RowsInputOptions {
  /** The subject of error messages. Default "rows". */
  readonly what?: string | undefined;
  /** The number of features that each row must have. A flat array needs this, `columns` or `rows`. Default: that of the first row. */
  readonly features?: number | undefined;
  /** The number of rows that there must be. Default: any number. */
  readonly rows?: number | undefined;
  /** The names that objects or columns must have, in the order of the output. Default: the names of the first row. */
  readonly columns?: readonly string[] | undefined;
  /** The number of the first row in error messages. Default 0. */
  readonly firstRow?: number | undefined;
  /** Whether NaN is allowed, as a missing value. Default false. */
  readonly acceptsMissing?: boolean | undefined;
}

/**
 * Converts rows in any form of `RowsInput` to one flat array.
 *
 * @throws SHAPE when rows have different lengths, or not `features` numbers; DATA when a value is not a finite number, with its row
 *   (counted from 0) and column, and when names are missing or unknown; ARGUMENT for input of any other form.
 */
export function flatRows(input: RowsInput, options: RowsInputOptions = {}): FlatRows {
  const namedOptions = { ...options, what: options.what ?? "rows" };
  const flat = convert(input, namedOptions);
  const badIndex = invalidNumber(flat.values, options.acceptsMissing ?? false);
  if (badIndex >= 0) throw invalidNumberError(namedOptions, badIndex, flat, flat.values[badIndex]);
  if (options.rows !== undefined && flat.rows !== options.rows) {
    throw new PushforwardError("SHAPE", `wrong number of rows in ${namedOptions.what}`, {
      expected: `${options.rows}`,
      received: `${flat.rows}`,
    });
  }
  return flat;
}

/** The index of the first number that is not finite, except for missing values; -1 if there is none. */
function invalidNumber(values: Float64Array, acceptsMissing: boolean): number {
  // A loop, since `findIndex` takes six times as long.
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]) && !(acceptsMissing && Number.isNaN(values[i]))) return i;
  return -1;
}

type Options = RowsInputOptions & { readonly what: string };

function convert(input: RowsInput, options: Options): FlatRows {
  const { what } = options;
  if (typeof input !== "object" || input === null) throw unknownFormError(what, describeValue(input));
  if (ArrayBuffer.isView(input)) return fromFlat(input as ArrayLike<number>, options);
  if (!Array.isArray(input)) {
    if (typeof (input as { length?: unknown }).length === "number")
      return fromFlat(input as ArrayLike<number>, options);
    return fromColumns(input as Readonly<Record<string, ArrayLike<number>>>, options);
  }
  const [first] = input as readonly unknown[];
  if (first === undefined || typeof first !== "object" || first === null)
    return fromFlat(input as readonly number[], options);
  return isList(first)
    ? fromRows(input as readonly ArrayLike<number>[], options)
    : fromObjects(input as readonly Readonly<Record<string, number>>[], options);
}

function fromFlat(numbers: ArrayLike<number>, options: Options): FlatRows {
  const { what, rows: expected } = options;
  const features = options.features ?? options.columns?.length ?? (expected ? numbers.length / expected : 0);
  if (features === 0) {
    if (numbers.length === 0) return { rows: expected ?? 0, features: 0, values: new Float64Array(0) };
    throw new PushforwardError("ARGUMENT", `a flat array of ${what} needs the number of features`, {
      hint: "Give dataset(numbers, { features: 2 }), or an array of rows.",
    });
  }
  const rows = numbers.length / features;
  if (!Number.isInteger(rows) || !Number.isInteger(features)) {
    const [unit, size] = Number.isInteger(features) ? ["row length", features] : ["number of rows", expected];
    throw new PushforwardError(
      "SHAPE",
      `the length of the flat array of ${what} is not a multiple of the ${unit}`,
      { expected: `a multiple of ${size}`, received: `${numbers.length}` },
    );
  }
  const values = new Float64Array(numbers.length);
  // The elements of a typed array are numbers, unless they are bigints, so only the first is checked.
  if (ArrayBuffer.isView(numbers) && typeof numbers[0] === "number") values.set(numbers);
  else
    for (let i = 0; i < values.length; i++)
      values[i] = numberAt(numbers[i], () => invalidNumberError(options, i, { features }, numbers[i]));
  return { rows, features, values };
}

function fromRows(rows: readonly ArrayLike<number>[], options: Options): FlatRows {
  const { what, features: expected = rows[0]?.length ?? 0, firstRow = 0 } = options;
  const values = new Float64Array(rows.length * expected);
  rows.forEach((row, r) => {
    if (!isList(row)) throw unknownFormError(what, `row ${firstRow + r} is ${describeValue(row)}`);
    if (row.length !== expected) {
      throw new PushforwardError("SHAPE", `row ${firstRow + r} of ${what} has a wrong length`, {
        expected: `${expected} numbers`,
        received: `${row.length}`,
      });
    }
    for (let c = 0; c < expected; c++) {
      const i = r * expected + c;
      values[i] = numberAt(row[c], () => invalidNumberError(options, i, { features: expected }, row[c]));
    }
  });
  return { rows: rows.length, features: expected, values };
}

function fromObjects(objects: readonly Readonly<Record<string, number>>[], options: Options): FlatRows {
  const { what, firstRow = 0 } = options;
  const columns = options.columns ?? Object.keys(objects[0]!);
  const features = columns.length;
  checkColumnCount(features, options);
  const values = new Float64Array(objects.length * features);
  objects.forEach((object, r) => {
    if (typeof object !== "object" || object === null || isList(object))
      throw unknownFormError(what, `row ${firstRow + r} is ${describeValue(object)}`);
    const keys = Object.keys(object);
    const complete = keys.length === features && columns.every((name) => Object.hasOwn(object, name));
    if (!complete) checkNames(keys, columns, `row ${firstRow + r} of ${what}`);
    columns.forEach((name, c) => {
      const i = r * features + c;
      const value = object[name];
      values[i] = numberAt(value, () => invalidNumberError(options, i, { features, columns }, value));
    });
  });
  return { rows: objects.length, features, values, columns };
}

function fromColumns(table: Readonly<Record<string, ArrayLike<number>>>, options: Options): FlatRows {
  const { what } = options;
  const names = Object.keys(table);
  const columns = options.columns ?? names;
  const features = columns.length;
  const invalidColumn = names.find((name) => !isList(table[name]));
  if (names.length === 0 || invalidColumn !== undefined) {
    throw unknownFormError(
      what,
      invalidColumn === undefined
        ? "an empty object"
        : `an object whose ${invalidColumn} is ${describeValue(table[invalidColumn])}`,
    );
  }
  checkNames(names, columns, what);
  checkColumnCount(features, options);
  const rows = table[columns[0]!]!.length;
  const values = new Float64Array(rows * features);
  columns.forEach((name, c) => {
    const column = table[name]!;
    if (column.length !== rows) {
      throw new PushforwardError("SHAPE", `column "${name}" of ${what} has a different length`, {
        expected: `${rows} numbers, as in "${columns[0]}"`,
        received: `${column.length}`,
      });
    }
    for (let r = 0; r < rows; r++) {
      const i = r * features + c;
      values[i] = numberAt(column[r], () => invalidNumberError(options, i, { features, columns }, column[r]));
    }
  });
  return { rows, features, values, columns };
}

function checkNames(names: readonly string[], columns: readonly string[], where: string): void {
  const missing = columns.find((name) => !names.includes(name));
  const unknown = names.find((name) => !columns.includes(name));
  if (missing === undefined && unknown === undefined) return;
  throw new PushforwardError("DATA", `${where} has wrong columns`, {
    expected: columns.join(", "),
    received: names.join(", "),
  });
}

function checkColumnCount(features: number, { what, features: expected }: Options): void {
  if (expected === undefined || features === expected) return;
  throw new PushforwardError("SHAPE", `wrong number of columns in ${what}`, {
    expected: `${expected}`,
    received: `${features}`,
  });
}

function numberAt(value: unknown, error: () => PushforwardError): number {
  if (typeof value === "number") return value;
  throw error();
}

const isList = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) || ArrayBuffer.isView(value);

function invalidNumberError(
  { what, firstRow = 0 }: Options,
  i: number,
  { features, columns }: { readonly features: number; readonly columns?: readonly string[] | undefined },
  value: unknown,
): PushforwardError {
  const row = firstRow + Math.floor(i / features);
  const column = columns ? `"${columns[i % features]}"` : `${i % features}`;
  return new PushforwardError("DATA", `row ${row}, column ${column} of ${what} is ${describeValue(value)}`, {
    expected: "a finite number",
    hint: "Remove such rows, or replace the value.",
  });
}

const unknownFormError = (what: string, received: string): PushforwardError =>
  new PushforwardError("ARGUMENT", `${what} cannot be read`, {
    expected: "a flat array of numbers, an array of rows or of objects, or an object of columns",
    received,
  });

function describeValue(value: unknown): string {
  if (typeof value === "string" || typeof value === "bigint") return brief(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null)
    return `an object of class ${value.constructor?.name ?? "?"}`;
  return String(value);
}

/** The forms in which rows can be returned. */
export interface RowForms {
  /** Row-major, [rows, features]. */
  flat: Float64Array;
  rows: number[][];
  objects: Record<string, number>[];
  columns: Record<string, Float64Array>;
}

/**
 * Converts rows to a form. `objects` and `columns` need the names of the features.
 *
 * @throws ARGUMENT for an unknown form, and for `objects` and `columns` without names.
 */
export function rowsAs<F extends keyof RowForms>(
  form: F,
  { rows, features, values, columns }: FlatRows,
): RowForms[F] {
  const names = () => {
    if (columns) return columns;
    throw new PushforwardError(
      "ARGUMENT",
      `rows cannot be returned as "${form}" because the columns have no names`,
      {
        hint: 'Use "rows", or fit the flow to rows with names: objects or columns.',
      },
    );
  };
  const forms: { readonly [K in keyof RowForms]: () => RowForms[K] } = {
    flat: () => values,
    rows: () =>
      Array.from({ length: rows }, (_, r) => Array.from(values.subarray(r * features, (r + 1) * features))),
    objects: () => {
      const keys = names();
      return Array.from({ length: rows }, (_, r) =>
        Object.fromEntries(keys.map((name, c) => [name, values[r * features + c]!])),
      );
    },
    columns: () =>
      Object.fromEntries(
        names().map((name, c) => [
          name,
          Float64Array.from({ length: rows }, (_, r) => values[r * features + c]!),
        ]),
      ),
  };
  const convertTo = Object.hasOwn(forms, form) ? forms[form] : undefined;
  if (convertTo) return convertTo();
  throw new PushforwardError("ARGUMENT", "rows cannot be returned in this form", {
    expected: Object.keys(forms).join(", "),
    received: describeValue(form),
  });
}
