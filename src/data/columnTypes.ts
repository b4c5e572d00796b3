import { type Database, stringLiteral } from "./database.ts";

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|BIGNUM|DECIMAL\(.*\))$/;

export const isNumeric = ({ type }: { readonly type: string }): boolean => NUMERIC.test(type);

/** The narrowest type that represents all texts of a column. */
export type TextType = "BIGINT" | "DOUBLE" | "VARCHAR";

/** Returns the number of rows, and for each SQL expression, whose values are text, the type that all its values have. */
export async function textTypes(
  database: Database,
  expressions: readonly string[],
  relation: string,
): Promise<{ rows: number; types: TextType[] }> {
  // Unnests rows into one column, because thousands of aggregates would take gigabytes. A cast to BIGINT rounds, so a text is an
  // integer only if the cast does not change it.
  const counted = (await database.rows(
    `SELECT d, count(*), count(v), count(TRY_CAST(v AS DOUBLE)),
      count_if(NOT contains(v, '.') AND CAST(TRY_CAST(v AS BIGINT) AS VARCHAR) = v)
    FROM (SELECT unnest(texts) AS v, unnest(range(${expressions.length})) AS d
      FROM (SELECT [${expressions.join(", ")}] AS texts FROM ${relation}))
    GROUP BY d ORDER BY d`,
  )) as string[][];
  const counts = counted.map((row) => row.map(Number) as [number, number, number, number, number]);
  const rows = counts[0]?.[1] ?? 0;
  if (rows === 0) return { rows, types: expressions.map(() => "DOUBLE") };
  const types = counts.map(([, , values, numbers, integers]): TextType => {
    if (values === 0 || numbers < values) return "VARCHAR";
    return integers === values ? "BIGINT" : "DOUBLE";
  });
  return { rows, types };
}

/** An SQL expression that replaces the values `na` by NULL. Numbers match in any notation: -999 also matches -999.0. */
export function missingToNull(value: string, { text, na }: { text: string; na: readonly string[] }): string {
  const numbers = na.filter((word) => word.trim() !== "" && Number.isFinite(Number(word))).map(Number);
  const isNumber = numbers.length > 0 ? ` OR TRY_CAST(${text} AS DOUBLE) IN (${numbers.join(", ")})` : "";
  return `CASE WHEN trim(${text}) IN (${na.map(stringLiteral).join(", ")})${isNumber} THEN NULL ELSE ${value} END`;
}
