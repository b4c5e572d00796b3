import { quotedIdentifier } from "./database.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

/** Why a column is not numeric. */
export interface Obstacle {
  readonly name: string;
  /** The column with what stands in its way, for a message. */
  readonly text: string;
  /** Text that may name classes, text that is numbers, or numbers among which are others, with a comma or with words. */
  readonly kind: "other" | "labels" | "numbers" | "decimalCommas" | "thousands" | "commas" | "words";
  /** The first words among numbers, and whether these are all. */
  readonly words: readonly string[];
  readonly allWords: boolean;
}

/** A column with more different words does not use them as codes for missing values. */
const MAX_WORDS = 8;

const DECIMAL_COMMA = "[-+]?\\d*,\\d+([eE][-+]?\\d+)?";
const THOUSANDS = "[-+]?\\d{1,3}(,\\d{3})+(\\.\\d*)?";

/** What the type of a column tells. */
export const unexamined = ({ name, type }: Column): Obstacle => ({
  name,
  text: `"${name}" (${type.length > 60 ? `${type.slice(0, 57)}...` : type})`,
  kind: "other",
  words: [],
  allWords: false,
});

/** What stands in the way of a column that is not numeric. */
export async function examine(table: Table, { name, type }: Column): Promise<Obstacle> {
  const obstacle = unexamined({ name, type });
  if (type !== "VARCHAR" && type !== "JSON") return obstacle;
  const value = type === "JSON" ? `(${quotedIdentifier(name)} ->> '$')` : quotedIdentifier(name);
  const from = `(SELECT row_number() OVER () AS row, ${value} AS value FROM ${table.relation.sql})`;
  const [counts] = await table.database.rows(
    `SELECT count(value), count(TRY_CAST(value AS DOUBLE)), count_if(regexp_full_match(value, '${DECIMAL_COMMA}')),
      count_if(regexp_full_match(value, '${THOUSANDS}')) FROM ${from}`,
  );
  const [values, numbers, decimals, thousands] = counts!.map(Number) as [number, number, number, number];
  if (values === 0) return { ...obstacle, text: `"${name}" (no values at all)` };
  if (numbers === values) return { ...obstacle, text: `"${name}" (numbers as ${type})`, kind: "numbers" };
  const commas = Math.max(decimals, thousands);
  if (2 * (numbers + commas) <= values) {
    return { ...obstacle, kind: type === "VARCHAR" ? "labels" : "other" };
  }
  const found = (await table.database.rows(
    `SELECT value, min(row) AS first FROM ${from} WHERE value IS NOT NULL AND TRY_CAST(value AS DOUBLE) IS NULL
      GROUP BY value ORDER BY first LIMIT ${MAX_WORDS + 1}`,
  )) as [string, string][];
  const words = found.map(([word]) => word);
  const kind =
    numbers + commas < values
      ? "words"
      : decimals < commas
        ? "thousands"
        : thousands < commas
          ? "decimalCommas"
          : "commas";
  const shownWords = found
    .slice(0, kind === "words" ? 3 : 1)
    .map(([word, row]) => `'${shorten(word)}' in row ${row}`);
  const more = kind === "words" && words.length > 3 ? " and more" : "";
  return {
    name,
    text: `"${name}" (${shownWords.join(", ")}${more})`,
    kind,
    words: words.slice(0, MAX_WORDS),
    allWords: words.length <= MAX_WORDS,
  };
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text);
