import { PushforwardError } from "../../check/index.ts";
import { hasLargeIntegers, type LargeIntegers, type RawColumn } from "../columns/index.ts";
import { isNumeric, trimmed } from "./columnTypes.ts";
import { quotedIfNeeded, shellQuotedQuery } from "./query.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { isText, numberExpression, textExpression, valueTypeOf } from "./valueExpressions.ts";

/** Describes the integers beyond 2^53 of a column that was read as numbers. Undefined if it has none. */
export async function largeIntegersOf(
  table: Table,
  column: Column,
  raw: RawColumn | undefined,
): Promise<LargeIntegers | undefined> {
  return hasDigits(table, column) && raw && hasLargeIntegers(raw) ? countLarge(table, column) : undefined;
}

/** The names of those columns of numbers in which different integers beyond 2^53 are equal as numbers. */
export async function mergedIntegerColumns(table: Table, names: readonly string[]): Promise<string[]> {
  const columns = table.columns.filter(
    (column) => names.includes(column.name) && isNumeric(column) && hasDigits(table, column),
  );
  if (columns.length === 0) return [];
  const areLarge = columns.map(
    (column) => `bool_or(abs(${numberExpression(table, column, "number")}) > ${Number.MAX_SAFE_INTEGER})`,
  );
  // Counting different values is slow, so it is done only in columns that have large numbers.
  const [found] = await table.database.run(`SELECT ${areLarge.join(", ")} FROM ${table.relation.sql}`);
  const merged: string[] = [];
  for (const [i, column] of columns.entries())
    if (found![i] && (await countLarge(table, column))?.areMerged) merged.push(column.name);
  return merged;
}

/** The error for a column that `mergedIntegerColumns` returns, where it would be read as numbers. */
export function mergedIntegersError(table: Table, name: string): PushforwardError {
  const column = quotedIfNeeded(name);
  const query = `SELECT * REPLACE (CAST(${column} AS DOUBLE) AS ${column}) FROM ${table.inQuery() ?? "..."}`;
  return new PushforwardError("DATA", `Column "${name}" of ${table.source} has integers beyond 2^53`, {
    expected:
      "integers up to 2^53, or larger ones that stay different when they are rounded to 64-bit floating-point numbers",
    received: "different integers that become equal when they are rounded",
    hint: `Leave the column out if it identifies rows, or round it in a query: ${shellQuotedQuery(query)}`,
  });
}

/** Whether the values of a column can have more digits than floating-point numbers. */
const hasDigits = (table: Table, column: Column): boolean =>
  isText(table, column.type) || valueTypeOf(column) === "integer";

/** Describes the integers beyond 2^53 of a column by reading it. Undefined if it has none. */
async function countLarge(table: Table, column: Column): Promise<LargeIntegers | undefined> {
  const text = textExpression(table, column);
  const number = numberExpression(table, column, "number");
  const [[integers, numbers]] = (await table.database.run(
    `SELECT count(DISTINCT integer), count(DISTINCT number)
      FROM (SELECT regexp_replace(ltrim(${trimmed(text)}, '+'), '^(-?)0+', '\\1') AS integer, ${number} AS number FROM ${table.relation.sql})
      WHERE abs(number) > ${Number.MAX_SAFE_INTEGER} AND regexp_full_match(integer, '-?\\d+')`,
  )) as [[string, string]];
  return Number(integers) === 0 ? undefined : { areMerged: Number(integers) > Number(numbers) };
}
