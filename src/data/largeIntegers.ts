import { hasLargeIntegers, type LargeIntegers } from "../tables/largeIntegers.ts";
import type { RawColumn } from "../tables/tableColumn.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { isText, numberExpression, textExpression, valueTypeOf } from "./valueExpressions.ts";

/** Describes the integers beyond 2^53 of a column that was read as numbers. Undefined if it has none. */
export async function largeIntegersOf(
  table: Table,
  column: Column,
  raw: RawColumn | undefined,
): Promise<LargeIntegers | undefined> {
  // A column of floating-point numbers has no other digits.
  const hasDigits = isText(table, column.type) || valueTypeOf(column) === "integer";
  if (!hasDigits || !raw || !hasLargeIntegers(raw)) return undefined;
  const text = textExpression(table, column);
  const number = numberExpression(table, column, "number");
  const [[integers, numbers]] = (await table.database.rows(
    `SELECT count(DISTINCT integer), count(DISTINCT number)
      FROM (SELECT regexp_replace(ltrim(trim(${text}), '+'), '^(-?)0+', '\\1') AS integer, ${number} AS number FROM ${table.relation.sql})
      WHERE abs(number) > ${Number.MAX_SAFE_INTEGER} AND regexp_full_match(integer, '-?\\d+')`,
  )) as [[string, string]];
  return Number(integers) === 0 ? undefined : { areMerged: Number(integers) > Number(numbers) };
}
