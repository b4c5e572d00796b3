/** The kinds that a user can state for a column. */
export const COLUMN_KINDS = [
  "continuous",
  "integer",
  "lattice",
  "positive",
  "bounded",
  "heavy-tailed",
  "cyclic",
  "categorical",
  "boolean",
  "date",
  "timestamp",
  "time",
  "constant",
  "exclude",
] as const;

/**
 * A kind that a user can state for a column:
 *
 * - `continuous`: a real number
 * - `integer`
 * - `lattice`: equally spaced numbers
 * - `positive`: a real number that is not negative
 * - `bounded`: a real number between two bounds
 * - `heavy-tailed`: a real number with outliers on both sides
 * - `cyclic`: a number that starts again after a period
 * - `categorical`: one of several labels
 * - `boolean`: true or false
 * - `date`, `timestamp`, `time`: a date, a date with a time, a time of the day
 * - `constant`: one value in all rows
 * - `exclude`: not in the model
 */
export type ColumnKind = (typeof COLUMN_KINDS)[number];

const TIME_KINDS = ["date", "timestamp", "time"] as const;
/** Kinds of columns of times. */
export type TimeKind = (typeof TIME_KINDS)[number];
export const isTimeKind = (kind: ColumnKind): kind is TimeKind => TIME_KINDS.includes(kind as TimeKind);

/** Kinds that only columns of numbers can have. */
export type NumericKind = Exclude<ColumnKind, TimeKind | "categorical" | "boolean" | "constant" | "exclude">;
export const isNumericKind = (kind: ColumnKind): kind is NumericKind =>
  !isTimeKind(kind) && !["categorical", "boolean", "constant", "exclude"].includes(kind);

/** The kinds as they are typed on a command line. */
export const KIND_SYNTAX: readonly string[] = COLUMN_KINDS.map(
  (kind) => ({ bounded: "bounded:LOW:HIGH", cyclic: "cyclic:PERIOD" })[kind as string] ?? kind,
);
