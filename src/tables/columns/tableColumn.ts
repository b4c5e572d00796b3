import * as z from "zod/mini";
import { valueScaleSchema } from "../../bijections/index.ts";
import { MAX_CELLS } from "../options/index.ts";
import type { Bounds } from "./columnBounds.ts";

const name = z.string();
const finite = z.number();
const step = z.optional(z.int().check(z.positive()));
const cells = z.int().check(z.minimum(1), z.maximum(MAX_CELLS));

/** The types of the values of a column. Each stands for the types of DuckDB that are encoded in the same way. */
const VALUE_TYPES = ["number", "integer", "boolean", "text", "date", "timestamp", "time"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];
const type = z.enum(VALUE_TYPES);
/** Only for dates and timestamps: in JavaScript, values of the column are `Date` objects. Without it they are text in ISO 8601. */
const isDateObject = z.optional(z.literal(true));
/** In JavaScript, values of the column are bigints. Without it they are numbers, or text if the column is learned as text. */
const isBigint = z.optional(z.literal(true));

/** The units into which dates and times are split, with the number of different values of those that repeat. */
export const TIME_UNITS = {
  month: undefined,
  day: 31,
  week: undefined,
  weekday: 7,
  hour: 24,
  minute: 60,
  second: 60,
  millisecond: 1000,
} as const;
export type TimeUnit = keyof typeof TIME_UNITS;
const unit = z.enum(Object.keys(TIME_UNITS) as [TimeUnit, ...TimeUnit[]]);

export const tableColumnSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("continuous"),
    name,
    type: z.enum(["number", "integer"]),
    isBigint,
    gaps: z.boolean(),
    /** Subtracted from the values, in float64, since columns far from 0 need more digits than float32 has. */
    center: finite,
    /** Bounds of the values. */
    low: z.optional(finite),
    high: z.optional(finite),
    /** Values outside the bounds that occur, such as codes for missing values. */
    codes: z.optional(z.array(finite).check(z.maxLength(64))),
    /** The scale of the feature, which is the value minus `center`. */
    scale: valueScaleSchema,
    /** The number of decimals of all values, to which samples are rounded. */
    decimals: z.optional(z.int().check(z.minimum(0), z.maximum(15))),
    period: z.optional(z.number().check(z.positive())),
    /**
     * Only if the bounds are one period apart, so that the values are on a circle: where the circle is cut to an interval. The feature is
     * (value - cut) modulo the period, so that values near the two bounds have nearly equal features. `center` is then the cut.
     */
    cut: z.optional(finite),
  }),
  z.strictObject({
    kind: z.literal("lattice"),
    name,
    type: z.enum(["number", "integer"]),
    isBigint,
    gaps: z.boolean(),
    /** The values are first, first + step, first + 2 step ..., each with `decimals` decimals. */
    first: finite,
    step: z.number().check(z.positive()),
    cells,
    decimals: z.int().check(z.minimum(0), z.maximum(15)),
    /** The scale of the cells, whose numbers begin with 0. */
    scale: valueScaleSchema,
    period: z.optional(z.number().check(z.positive())),
  }),
  z.strictObject({
    kind: z.literal("categorical"),
    name,
    type,
    isDateObject,
    isBigint,
    /** Whether no other label is possible, as in a column of yes and no. */
    isBoolean: z.optional(z.literal(true)),
    gaps: z.boolean(),
    labels: z.array(z.string()).check(z.minLength(1), z.maxLength(100_000)),
  }),
  z.strictObject({
    kind: z.literal("time"),
    name,
    type: z.enum(["date", "timestamp", "time"]),
    isDateObject,
    gaps: z.boolean(),
    /** The values of a unit are first, first + step, first + 2 step... The default of `step` is 1. */
    parts: z.array(z.strictObject({ unit, first: z.int(), step, cells })).check(z.minLength(1)),
    /** The units that have one value in all rows. */
    fixed: z.array(z.strictObject({ unit, value: z.int() })),
    /** The day of the month, for dates that differ by months only; 31 is the last day. */
    dayOfMonth: z.optional(z.int().check(z.minimum(1), z.maximum(31))),
  }),
  z.strictObject({
    kind: z.literal("constant"),
    name,
    type,
    isDateObject,
    isBigint,
    gaps: z.literal(false),
    /** The value as text; null if it is missing in all rows. */
    value: z.nullable(z.string()),
  }),
]);

/**
 * A column of a table, and how its values become features of a model:
 *
 * - `continuous`: a number
 * - `lattice`: one of equally spaced numbers, such as an integer
 * - `categorical`: one of several labels
 * - `time`: a date, a time or both, with a feature for each part that varies
 * - `constant`: one value, which needs no feature
 *
 * `gaps` is true if the column is nullable: some training values were missing, so the model gives missing values a probability.
 */
export type TableColumn = z.output<typeof tableColumnSchema>;
export type ContinuousColumn = Extract<TableColumn, { kind: "continuous" }>;
export type TimeColumn = Extract<TableColumn, { kind: "time" }>;
export type LatticeColumn = Extract<TableColumn, { kind: "lattice" }>;

/** The bounds of the feature of a continuous column. */
export function featureBounds({ center, low, high, period, cut }: ContinuousColumn): Bounds {
  if (cut !== undefined) return { low: 0, high: period! };
  return {
    ...(low !== undefined && { low: low - center }),
    ...(high !== undefined && { high: high - center }),
  };
}

/** The names of the features of a column. */
export function featureNames(column: TableColumn): string[] {
  if (column.kind === "constant") return [];
  if (column.kind !== "time") return [column.name];
  return column.parts.map((part) => `${column.name}.${part.unit}`);
}

/** The indices of the features of each column. */
export function featuresOf(columns: readonly TableColumn[]): number[][] {
  let next = 0;
  return columns.map((column) => featureNames(column).map(() => next++));
}

/** The number of values of each feature of a column, which are 0, 1, 2...; null for a feature of real numbers. */
export function featureCardinalities(column: TableColumn): (number | null)[] {
  switch (column.kind) {
    case "constant":
      return [];
    case "continuous":
      return [null];
    case "categorical":
      return [column.labels.length];
    case "lattice":
      return [column.cells];
    case "time":
      return column.parts.map(({ cells }) => cells);
  }
}

/** The columns as they return values in JSON and other text formats, which have no `Date` objects and no bigints. */
export const withJsonValues = (columns: readonly TableColumn[]): TableColumn[] =>
  columns.map((column: TableColumn & { isDateObject?: true; isBigint?: true }) => {
    const { isDateObject: _, isBigint: __, ...others } = column;
    return others;
  });

/** Whether some values of a table have probabilities and not densities. Constants do not count: their probability is 1. */
export const hasProbabilities = (columns: readonly TableColumn[]): boolean =>
  columns.some(({ kind, gaps }) => gaps || (kind !== "continuous" && kind !== "constant"));

/** The values of a column as numbers. NaN is a missing value. */
export interface RawColumn {
  readonly name: string;
  readonly type: ValueType;
  /** Only for dates and timestamps: whether all values are `Date` objects. */
  readonly isDateObject?: true;
  /** Only for integers: whether all values are bigints. */
  readonly isBigint?: true;
  /** Only for timestamps and times: some values had a time zone. */
  readonly hasTimeZone?: true;
  /**
   * Numbers as they are, booleans as 0 and 1, text as an index of `labels`, dates and timestamps in milliseconds since 1970-01-01, times
   * in milliseconds since midnight.
   */
  readonly values: Float64Array;
  /** The distinct values of a column of text; absent for other types. */
  readonly labels?: readonly string[];
  /** Only for bigints beyond 2^53, of which numbers do not have all digits: the column as text. */
  readonly exactText?: RawColumn;
}

/** The names of the columns that a model learned: those of its table, or its features if it learned vectors. */
export const learnedColumns = ({
  table,
  columns,
}: {
  readonly table?: readonly TableColumn[] | undefined;
  readonly columns: readonly string[];
}): readonly string[] => table?.map(({ name }) => name) ?? columns;
