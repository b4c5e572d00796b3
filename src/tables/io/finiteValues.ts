import { PushforwardError } from "../../check/index.ts";
import type { ValueType } from "../columns/index.ts";
import type { Table } from "./table.ts";

/** Dates have this many milliseconds at most, as in JavaScript: the year 275760. */
const MAX_MILLISECONDS = 8.64e15;

/**
 * Checks consecutive values of a column, in the units of `RawColumn`. NaN is a missing value. `firstRow` is the row number of the first value.
 *
 * @throws DATA if a number is infinite or a date is too late, with its row.
 */
export function checkFinite(
  table: Table,
  { name, type }: { readonly name: string; readonly type: ValueType },
  values: Float64Array,
  firstRow: number,
): void {
  const isNumber = type === "number" || type === "integer";
  const limit = isNumber ? Number.MAX_VALUE : MAX_MILLISECONDS;
  const index = values.findIndex((value) => Math.abs(value) > limit);
  if (index < 0) return;
  const value = values[index]!;
  if (isNumber) throw infiniteValueError(table, name, firstRow + index, value);
  throw new PushforwardError(
    "DATA",
    `The column "${name}" of ${table.source} has no finite time in ${table.rowText(firstRow + index)}`,
    {
      expected: "a date before the year 275760",
      received: Number.isFinite(value) ? `${value} milliseconds since 1970` : "infinity",
      hint: HINT,
    },
  );
}

const HINT = "Correct the value, or replace it by an empty field, which counts as missing.";

export const infiniteValueError = (
  table: Table,
  column: string,
  row: number,
  value: number,
): PushforwardError =>
  new PushforwardError(
    "DATA",
    `The column "${column}" of ${table.source} is infinite in ${table.rowText(row)}`,
    {
      expected: "finite numbers",
      received: String(value),
      hint: HINT,
    },
  );
