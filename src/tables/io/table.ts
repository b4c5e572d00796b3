import { existsSync } from "node:fs";
import {
  abortSignal,
  checkOptions,
  listOfTexts,
  type OptionRules,
  oneOf,
  PushforwardError,
  text,
} from "../../check/index.ts";
import { type ColumnSelection, selectNumericColumns } from "./columnSelection.ts";
import { delimiterOption } from "./csv.ts";
import { Database } from "./database.ts";
import { type FileRow, fileRow } from "./fileRows.ts";
import { expandHome, isStandardInput, STANDARD_INPUT } from "./locate.ts";
import { tableExpression } from "./query.ts";
import { type Column, filesRelation, queryRelation, type Relation } from "./relation.ts";

/** Options of `openTable`. */
export interface TableOptions {
  /** Values that mean "missing", such as `NA`. A number, such as `-999`, matches in any notation. Default none. */
  readonly na?: readonly string[] | undefined;
  /**
   * The decimal separator of the numbers of a CSV or TSV file. With a comma, a point that is followed by three digits separates thousands,
   * as in 1.234,5. Default a point.
   */
  readonly decimal?: "." | "," | undefined;
  /** The character between the fields of a CSV file. Default: detected. */
  readonly delimiter?: string | undefined;
  /** Aborts all reading of the table, including a running query, with the error INTERRUPTED. Default none. */
  readonly signal?: AbortSignal | undefined;
}

/** The rules of `TableOptions`, for `checkOptions`. */
export const tableRules: OptionRules<TableOptions> = {
  na: listOfTexts,
  decimal: oneOf(".", ","),
  delimiter: text,
  signal: abortSignal,
};

/**
 * A table of any size. Its columns and number of rows are known; its values are read when they are needed. `openTable` opens one, and
 * throws the errors of files that cannot be read.
 */
export class Table {
  /** The name in messages: the path of the file, or "the query". */
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
   * Returns the names of the columns to use: `names`, or all columns.
   *
   * @throws DATA if a column does not exist or is not numeric (BOOLEAN is not); ARGUMENT if it is listed twice.
   */
  numericColumns(names?: readonly string[], selection?: ColumnSelection): Promise<string[]> {
    return selectNumericColumns(this, names, selection);
  }

  /**
   * Must be called after the table was read.
   *
   * @throws FILE if a file of the table has changed since the table was opened.
   * @internal
   */
  async checkUnchanged(): Promise<void> {
    for (const version of this.relation.versions ?? []) await version.check();
  }

  /**
   * The option of DuckDB's `read_csv` for the delimiter of the files; undefined for other tables.
   *
   * @internal
   */
  delimiterOption(): string | undefined {
    const { delimiter } = this.relation;
    return delimiter && delimiterOption(delimiter);
  }

  /**
   * The SQL that reads the table in a query, with options of DuckDB, by default those that read its notation; undefined for a query or
   * standard input.
   *
   * @internal
   */
  inQuery(options?: readonly string[]): string | undefined {
    const { file } = this.relation;
    return file && tableExpression(file.paths, file.format, options ?? file.options);
  }

  /**
   * The file of a row, and the number of the row there. `row` is counted from 1 over all files.
   *
   * @internal
   */
  fileRow(row: number): FileRow {
    const { files } = this.relation;
    return files ? fileRow(files, row) : { file: this.source, row };
  }

  /**
   * How messages call a row, counted from 1 over all files: "row 3", or "row 3 of b.csv" if there are several files.
   *
   * @internal
   */
  rowText(row: number): string {
    const found = this.fileRow(row);
    return this.relation.files ? `row ${found.row} of ${found.file}` : `row ${found.row}`;
  }

  /** Closes the table and removes its temporary files. */
  close(): Promise<void> {
    return this.database.close();
  }
}

/**
 * Opens a table: a file in CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet, all files that match a pattern such as
 * `quakes/*.csv`, standard input (`-`), a list of these, whose rows are concatenated, or a DuckDB query (a string that begins
 * with SELECT, FROM or WITH).
 *
 * A text file is read to its end, so that all values have the type of their column and malformed lines are found. A query is run once and its
 * result is stored, so that the order of its rows does not change.
 *
 * @throws FILE if the file is missing, unreadable, not a table, or changes meanwhile; DATA if it is empty or malformed, if two columns
 *   have the same name, if files have different columns, or if the query fails; ARGUMENT if the list is empty, has a file twice, or
 *   has a query and other sources, if the delimiter is not one character, and for `decimal` and `delimiter` with a table that is
 *   neither CSV nor TSV; DEPENDENCY if DuckDB is not installed; INTERRUPTED.
 */
export async function openTable(
  source: string | readonly string[],
  options: TableOptions = {},
): Promise<Table> {
  checkOptions("openTable", options, tableRules);
  const { na = [], decimal = ".", delimiter, signal } = options;
  if (delimiter !== undefined && !/^[^"\r\n]$/.test(delimiter)) {
    throw new PushforwardError("ARGUMENT", "the delimiter of a CSV file is not valid", {
      expected: "one character other than a double quote or a line break, such as ;",
      received: JSON.stringify(delimiter),
    });
  }
  const sources = typeof source === "string" ? [source] : source;
  const query = sources.find(isQuery);
  if (sources.length !== 1 && (query !== undefined || sources.length === 0)) {
    throw new PushforwardError("ARGUMENT", "A table cannot be read from this list", {
      expected: "one query, or one or more files",
      received: query === undefined ? "an empty list" : `a query among ${sources.length} sources`,
      ...(query !== undefined && { hint: "Name all files in the query: FROM read_csv(['a.csv', 'b.csv'])" }),
    });
  }
  const paths = sources.map(expandHome);
  const database = await Database.open(query === undefined ? nameOf(paths) : "the query", signal);
  try {
    const relation = await (query === undefined
      ? filesRelation(database, paths, { na, decimal, delimiter })
      : queryRelation(database, query, { na, decimal, delimiter }));
    return new Table(database, relation);
  } catch (error) {
    await database.close();
    throw error;
  }
}

export const isQuery = (source: string): boolean =>
  /^\s*(select|from|with)(?=[\s('"*])/i.test(source) && !existsSync(source);

/** The name of the table in messages. */
function nameOf([first, ...others]: readonly string[]): string {
  const name = isStandardInput(first!) ? STANDARD_INPUT : first!;
  return others.length === 0 ? name : `${name} (and ${others.length} more)`;
}
