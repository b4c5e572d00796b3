import { quotedIdentifier } from "../options/index.ts";
import { type Database, textLiteral } from "./database.ts";

/** The number of rows with a value, and the approximate number of different values, for each SQL expression of text. */
export async function countTexts(
  database: Database,
  texts: readonly string[],
  relation: string,
): Promise<{ rows: number; distinct: number }[]> {
  if (texts.length === 0) return [];
  const counted = (await database.run(
    `SELECT d, count(v), approx_count_distinct(v) FROM ${unnested(texts, relation)} GROUP BY d ORDER BY d`,
  )) as [unknown, string, string][];
  return texts.map((_, d) => ({
    rows: Number(counted[d]?.[1] ?? 0),
    distinct: Number(counted[d]?.[2] ?? 0),
  }));
}

/** The different values of each SQL expression of text, in the order of their bytes. The table is read once. */
export async function distinctTexts(
  database: Database,
  texts: readonly string[],
  relation: string,
): Promise<string[][]> {
  const labels = texts.map((): string[] => []);
  if (texts.length === 0) return labels;
  const rows = await database.run(
    `SELECT DISTINCT d, v FROM ${unnested(texts, relation)} WHERE v IS NOT NULL ORDER BY d, v`,
  );
  for (const [d, label] of rows as [string, string][]) labels[Number(d)]!.push(label);
  return labels;
}

/** One row (d, v) for the value v of each expression d in each row of the relation. */
const unnested = (expressions: readonly string[], relation: string): string =>
  `(SELECT unnest(range(${expressions.length})) AS d, unnest(texts) AS v
    FROM (SELECT [${expressions.join(", ")}] AS texts FROM ${relation}))`;

/**
 * Lists of labels as ENUM types of DuckDB, which look up the index of a string in a hash table. `close` removes the types; call it after the
 * queries that use them.
 */
export class LabelDictionary {
  readonly #database: Database;
  readonly #types: string[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Returns the SQL of the index of a string in `labels`: the number of labels for any other string, and NULL for NULL. */
  async indexExpression(text: string, labels: readonly string[]): Promise<string> {
    if (labels.length === 0) return `CASE WHEN ${text} IS NOT NULL THEN 0 END`;
    const type = quotedIdentifier(`labels-${crypto.randomUUID()}`);
    const list = labels.map(textLiteral).join(", ");
    await this.#database.run(`CREATE TYPE ${type} AS ENUM (SELECT unnest([${list}]))`);
    this.#types.push(type);
    return `CASE WHEN ${text} IS NOT NULL THEN coalesce(enum_code(TRY_CAST(${text} AS ${type})), ${labels.length}) END`;
  }

  async close(): Promise<void> {
    for (const type of this.#types.splice(0)) await this.#database.run(`DROP TYPE ${type}`);
  }
}
