import { existsSync } from "node:fs";
import { PushforwardError } from "../errors.ts";
import { type ColumnSelection, selectNumericColumns } from "./columnSelection.ts";
import { csvDialect, csvRelation } from "./csv.ts";
import { Database, identifier, literal } from "./database.ts";
import { FileVersion } from "./fileVersion.ts";
import { inspectFile, type SourceFile } from "./sourceFile.ts";

export interface Column {
  readonly name: string;
  /** The type in DuckDB's words: `BIGINT`, `DOUBLE`, `DECIMAL(10,2)`, `VARCHAR`... */
  readonly type: string;
}

/** What a table is read from, in SQL. */
interface Relation {
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** Whether `sql` gives every column as text, exactly as the file has it (CSV and TSV). */
  readonly asText: boolean;
  /** The file that `sql` reads. A query has none: its result is kept. */
  readonly version?: FileVersion;
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
   * @throws FILE when the file of the table has changed since the table was opened.
   * @internal
   */
  async checkUnchanged(): Promise<void> {
    await this.relation.version?.check();
  }

  /** Ends all reading of the table and removes its temporary files. */
  close(): Promise<void> {
    return this.database.close();
  }
}

/**
 * Opens a table: a file in CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet, or a DuckDB query (a text that
 * begins with SELECT, FROM or WITH).
 *
 * A text file is read once to its end, so that types hold for every row and a malformed line is found now. A query is
 * run once and its result kept, so that its rows have one order.
 *
 * @throws FILE when the file is missing, unreadable, no table, or changes meanwhile; DATA when it is empty or malformed, when two columns
 *   have the same name, or when the query fails.
 */
export async function openTable(source: string): Promise<Table> {
  const query = /^\s*(select|from|with)(?=[\s('"*])/i.test(source) && !existsSync(source);
  const version = query ? undefined : await FileVersion.of(source);
  const file = query ? undefined : await inspectFile(source);
  const database = await Database.open(query ? "the query" : source);
  try {
    const reading = file ? fileRelation(database, file) : queryRelation(database, source);
    const relation = await reading.finally(() => version?.check());
    return new Table(database, { ...relation, ...(version && { version }) });
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function fileRelation(database: Database, file: SourceFile): Promise<Relation> {
  if (file.format === "csv" || file.format === "tsv") return csvTable(database, file);
  if (file.format === "parquet") return typedTable(database, `read_parquet(${literal(file.path)})`);

  const layout = file.format === "jsonl" ? "newline_delimited" : "auto";
  const options = `format = '${layout}', records = true${file.gzip ? ", compression = 'gzip'" : ""}`;
  const sniffed = await describe(database, `read_json(${literal(file.path)}, ${options}, sample_size = -1)`);
  // JSON has no dates: what DuckDB takes for one is a text, which it would write back in another form.
  const types = sniffed
    .map(({ name, type }) => `${literal(name)}: ${literal(type.replace(/^(DATE|TIME|UUID).*/, "VARCHAR"))}`)
    .join(", ");
  const table = await typedTable(
    database,
    `read_json(${literal(file.path)}, ${options}, columns = {${types}})`,
  );
  if (table.rows > 0) return table;
  throw new PushforwardError("DATA", `${file.path} has no rows`, { expected: "one object a row" });
}

async function queryRelation(database: Database, query: string): Promise<Relation> {
  const names = await database.queryColumns(query);
  if (!names) {
    throw new PushforwardError("DATA", "The query does not give a table", {
      expected: "one statement that begins with SELECT, FROM or WITH and only reads",
    });
  }
  const repeated = names.find((name, i) =>
    names.slice(0, i).some((n) => n.toLowerCase() === name.toLowerCase()),
  );
  if (repeated !== undefined) {
    throw new PushforwardError("DATA", `Two columns of the query have the same name, "${repeated}"`, {
      mend: `Name one of them otherwise: SELECT ... AS other_name`,
    });
  }
  await database.rows(`CREATE TABLE source AS (${query.replace(/;\s*$/, "")}\n)`);
  return typedTable(database, "source");
}

async function typedTable(database: Database, sql: string): Promise<Relation> {
  const columns = await describe(database, sql);
  const [[rows]] = (await database.rows(`SELECT count(*) FROM ${sql}`)) as [[string]];
  return { sql, columns, rows: Number(rows), asText: false };
}

async function describe(database: Database, sql: string): Promise<Column[]> {
  const rows = (await database.rows(`DESCRIBE FROM ${sql}`)) as string[][];
  return rows.map(([name, type]) => ({ name: name!, type: type! }));
}

/** Finds the types of a text file's columns from all of its rows. */
async function csvTable(database: Database, file: SourceFile): Promise<Relation> {
  const dialect = csvDialect(file);
  const sql = csvRelation(file, dialect);
  const counts = dialect.names.map((name) => {
    const c = identifier(name);
    // A cast to BIGINT rounds, so an integer is what reads the same after it. (FILTER instead of count_if would copy
    // all columns for each of them: gigabytes for a table of 800 columns.)
    const integer = `NOT contains(${c}, '.') AND CAST(TRY_CAST(${c} AS BIGINT) AS VARCHAR) = ${c}`;
    return `count(${c}), count(TRY_CAST(${c} AS DOUBLE)), count_if(${integer})`;
  });
  const [row] = await database.rows(`SELECT count(*), ${counts.join(", ")} FROM ${sql}`);
  const [rows, ...found] = row!.map(Number) as [number, ...number[]];
  const columns = dialect.names.map((name, i) => {
    const [values, numbers, integers] = found.slice(3 * i) as [number, number, number];
    if (rows > 0 && values === 0) return { name, type: "VARCHAR" };
    if (numbers < values) return { name, type: "VARCHAR" };
    return { name, type: rows > 0 && integers === values ? "BIGINT" : "DOUBLE" };
  });
  return { sql, columns, rows, asText: true };
}
