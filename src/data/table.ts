import { existsSync } from "node:fs";
import { PushforwardError } from "../errors.ts";
import { type ColumnSelection, selectNumericColumns } from "./columnSelection.ts";
import { Database } from "./database.ts";
import { expandHome, isStandardInput, STANDARD_INPUT } from "./locate.ts";
import { tableExpression } from "./query.ts";
import { type Column, filesRelation, queryRelation, type Relation } from "./relation.ts";

/** Options of `openTable`. */
export interface TableOptions {
  /** Texts that stand for a missing value, such as `NA`; a number, such as `-999`, does so however it is written. */
  readonly na?: readonly string[];
  /** Ends all reading of the table with the error INTERRUPTED, of a query that runs too. */
  readonly signal?: AbortSignal;
}

/** A table of any size: what is in it is known, its values are read as they are needed. */
export class Table {
  /** What messages call it: the path of the file, or "the query". */
  readonly source: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** @internal */
  readonly database: Database;
  /** @internal */
  readonly relation: Relation;

  /** @internal */
  constructor(database: Database, relation: Relation) {
    this.source = database.source;
    this.columns = relation.columns;
    this.rows = relation.rows;
    this.database = database;
    this.relation = relation;
  }

  /**
   * The names of the columns to use: those asked for, or all.
   *
   * @throws DATA when a column is not there, asked for twice, or not numeric (BOOLEAN is not).
   */
  numericColumns(names?: readonly string[], selection?: ColumnSelection): Promise<string[]> {
    return selectNumericColumns(this, names, selection);
  }

  /**
   * To be called after each reading.
   *
   * @throws FILE when a file of the table has changed since the table was opened.
   * @internal
   */
  async checkUnchanged(): Promise<void> {
    for (const version of this.relation.versions ?? []) await version.check();
  }

  /**
   * What stands for the table in a query, read with such options of DuckDB; undefined for a query or standard input.
   *
   * @internal
   */
  inQuery(options?: readonly string[]): string | undefined {
    const { file } = this.relation;
    return file && tableExpression(file.paths, file.format, options);
  }

  /** Ends all reading of the table and removes its temporary files. */
  close(): Promise<void> {
    return this.database.close();
  }
}

/**
 * Opens a table: a file in CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet, all files that match a pattern such as
 * `quakes/*.csv`, standard input (`-`), a list of these, whose rows then follow each other, or a DuckDB query (a text that
 * begins with SELECT, FROM or WITH).
 *
 * A text file is read to its end, so that types hold for every row and a malformed line is found now. A query is run once
 * and its result kept, so that its rows have one order.
 *
 * @throws FILE when the file is missing, unreadable, no table, or changes meanwhile; DATA when it is empty or malformed, when
 *   two columns have the same name, when files have different columns, or when the query fails; ARGUMENT when the list is
 *   empty, or has a query or a file twice; INTERRUPTED.
 */
export async function openTable(
  source: string | readonly string[],
  { na = [], signal }: TableOptions = {},
): Promise<Table> {
  const sources = typeof source === "string" ? [source] : source;
  const query = sources.find(isQuery);
  if (sources.length !== 1 && (query !== undefined || sources.length === 0)) {
    throw new PushforwardError("ARGUMENT", "A table cannot be read from this list", {
      expected: "one query, or one file or more",
      received: query === undefined ? "an empty list" : `a query among ${sources.length} sources`,
      ...(query !== undefined && { hint: "Name all files in the query: FROM read_csv(['a.csv', 'b.csv'])" }),
    });
  }
  const paths = sources.map(expandHome);
  const database = await Database.open(query === undefined ? nameOf(paths) : "the query", signal);
  try {
    const relation = await (query === undefined
      ? filesRelation(database, paths, na)
      : queryRelation(database, query, na));
    return new Table(database, relation);
  } catch (error) {
    await database.close();
    throw error;
  }
}

const isQuery = (source: string): boolean =>
  /^\s*(select|from|with)(?=[\s('"*])/i.test(source) && !existsSync(source);

/** The name of the table in messages. */
function nameOf([first, ...others]: readonly string[]): string {
  const name = isStandardInput(first!) ? STANDARD_INPUT : first!;
  return others.length === 0 ? name : `${name} (and ${others.length} more)`;
}
