import { Random } from "../../src/random/random.ts";
import type { RawColumn, ValueType } from "../../src/tables/columns/tableColumn.ts";

/** A column of numbers, where null is a missing value. */
export const numbers = (
  values: readonly (number | null)[],
  { name = "x", type = "number" as Exclude<ValueType, "text"> } = {},
): RawColumn => ({ name, type, values: Float64Array.from(values, (value) => value ?? Number.NaN) });

/** A column of text, where null is a missing value. */
export function texts(values: readonly (string | null)[], name = "x"): RawColumn {
  const labels = [...new Set(values.filter((value) => value !== null))].sort();
  return {
    name,
    type: "text",
    values: Float64Array.from(values, (value) => (value === null ? Number.NaN : labels.indexOf(value))),
    labels,
  };
}

/** `Date.parse` reads a date without a time as UTC, and 0050-01-01Z as 1950. */
const iso = (type: "date" | "timestamp" | "time", value: string): string =>
  type === "date" ? value : type === "time" ? `1970-01-01T${value}Z` : `${value}Z`;

/** A column of dates, timestamps or times in ISO 8601. */
export const times = (
  type: "date" | "timestamp" | "time",
  values: readonly (string | null)[],
  name = "x",
): RawColumn => ({
  name,
  type,
  values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Date.parse(iso(type, value)))),
});

export const normal = (rows: number, seed = 1): number[] => [
  ...new Random(seed).normal(new Float64Array(rows)),
];
export const uniform = (rows: number, seed = 1): number[] => [
  ...new Random(seed).uniform(new Float64Array(rows)),
];
/** `f(i)` for i = 0 ... rows - 1. */
export const sequence = <T>(rows: number, f: (i: number) => T): T[] =>
  Array.from({ length: rows }, (_, i) => f(i));
