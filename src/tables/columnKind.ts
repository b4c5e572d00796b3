/** The kinds that a user can state for a column. */
const KINDS = {
  continuous: "a real number",
  integer: "an integer",
  lattice: "equally spaced numbers",
  positive: "a real number that is not negative",
  bounded: "a real number between two bounds, as in bounded:0:1",
  "heavy-tailed": "a real number with outliers on both sides",
  cyclic: "a number that starts again after a period, as in cyclic:360",
  categorical: "one of several labels",
  boolean: "true or false",
  date: "a date",
  timestamp: "a date with a time",
  time: "a time of the day",
  constant: "one value in all rows",
  exclude: "not in the model",
} as const;
/** A kind that a user can state for a column. */
export type ColumnKind = keyof typeof KINDS;
export const COLUMN_KINDS = Object.keys(KINDS) as [ColumnKind, ...ColumnKind[]];

/** The kinds as they are typed on a command line. */
export const KIND_SYNTAX: readonly string[] = COLUMN_KINDS.map(
  (kind) => ({ bounded: "bounded:LOW:HIGH", cyclic: "cyclic:PERIOD" })[kind as string] ?? kind,
);
