import { PushforwardError } from "../errors.ts";
import { columnList } from "./columnList.ts";
import { quotedIdentifier } from "./database.ts";
import { truncate } from "./nonNumericColumns.ts";
import type { Table } from "./table.ts";

/** A column of numbers or dates with more other texts than this is left out, or its texts are labels. */
const MAX_WORDS = 4;

/**
 * Checks a column of text. A few words among numbers or dates would make the column unusable: it would be left out, or each date would be a
 * label. `isLeftOut` says which; a column of numbers that is not left out may have codes, for which labels are right.
 *
 * @throws DATA with the first of the texts and their rows, if more than half of the values are dates or numbers, and at most four different texts
 *   are not.
 */
export async function checkFewWords(table: Table, name: string, isLeftOut: boolean): Promise<void> {
  const from = `(SELECT row_number() OVER () AS row, ${quotedIdentifier(name)} AS value FROM ${table.relation.sql})`;
  const [counts] = await table.database.rows(
    `SELECT count(value), count(TRY_CAST(value AS TIMESTAMP)), count(TRY_CAST(value AS DOUBLE)) FROM ${from}`,
  );
  const [present, dates, numbers] = counts!.map(Number) as [number, number, number];
  const [what, type, readable] =
    dates > numbers ? (["dates", "TIMESTAMP", dates] as const) : (["numbers", "DOUBLE", numbers] as const);
  if (2 * readable <= present || readable === present || (type === "DOUBLE" && !isLeftOut)) return;
  const found = (await table.database.rows(
    `SELECT value, min(row) AS first FROM ${from} WHERE value IS NOT NULL AND TRY_CAST(value AS ${type}) IS NULL
      GROUP BY value ORDER BY first LIMIT ${MAX_WORDS + 1}`,
  )) as [string, string][];
  if (found.length > MAX_WORDS) return;
  const words = found.map(([word]) => word);
  throw new PushforwardError("DATA", `Column "${name}" of ${table.source} has ${what}, but not in all rows`, {
    received: found.map(([word, row]) => `'${truncate(word)}' in row ${row}`).join(", "),
    hint: `Correct them, read them as missing (--na ${columnList(words)}), or leave the column out (--exclude ${columnList([name])}).`,
  });
}
