import { mkdir, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBDataChunk, DuckDBDoubleVector, DuckDBInstance } from "@duckdb/node-api";
import { removeAbandoned, temporaryName } from "../files/temporaryFile.ts";
import { importOptional, TABLES } from "../optionalPackages.ts";
import { readAhead } from "../readAhead.ts";
import { databaseError, interruptedError, MEMORY_LIMIT_MB } from "./databaseError.ts";

/** A column name as an identifier of SQL, always in quotes. */
export const quotedIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as a string literal of SQL. */
export const stringLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Float64 arrays, row-major, of any number of whole rows each. The next is asked for while one is written, so each is its own. */
export type Chunks = Iterable<Float64Array> | AsyncIterable<Float64Array>;

/** With more columns, a chunk of 2,048 rows needs more memory than the default limit leaves for it. */
const MANY_COLUMNS = 500;

/**
 * A DuckDB instance in memory that holds at most 512 MB and puts the rest into a temporary directory.
 *
 * DuckDB is loaded by the first `open`, not by importing this module. Errors name `source`. When `signal` is aborted, what
 * runs ends soon with the error INTERRUPTED.
 */
export class Database {
  readonly source: string;
  readonly signal: AbortSignal | undefined;
  readonly #duckdb: typeof import("@duckdb/node-api");
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #directory: string;
  readonly #streams = new Set<DuckDBConnection>();
  readonly #interrupt = () => {
    for (const connection of [this.#connection, ...this.#streams]) connection.interrupt();
  };

  private constructor(
    source: string,
    signal: AbortSignal | undefined,
    duckdb: typeof import("@duckdb/node-api"),
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    directory: string,
  ) {
    this.source = source;
    this.signal = signal;
    this.#duckdb = duckdb;
    this.#instance = instance;
    this.#connection = connection;
    this.#directory = directory;
    signal?.addEventListener("abort", this.#interrupt);
  }

  static async open(source: string, signal?: AbortSignal): Promise<Database> {
    const duckdb = await importOptional(TABLES, () => import("@duckdb/node-api"));
    await removeAbandoned(tmpdir());
    const directory = join(tmpdir(), temporaryName());
    const instance = await duckdb.DuckDBInstance.create(":memory:", {
      memory_limit: `${MEMORY_LIMIT_MB}MB`,
      temp_directory: directory,
      threads: String(Math.min(4, availableParallelism())),
      preserve_insertion_order: "true",
    });
    return new Database(source, signal, duckdb, instance, await instance.connect(), directory);
  }

  /** The path of a file to make in the temporary directory. */
  async temporaryFile(): Promise<string> {
    await mkdir(this.#directory, { recursive: true });
    return join(this.#directory, `${crypto.randomUUID()}.input`);
  }

  /** Allows for so many columns: DuckDB reserves memory by their number, on each thread, before it knows of few rows. */
  async expectColumns(number: number): Promise<void> {
    if (number <= MANY_COLUMNS) return;
    await this.rows("SET threads = 1");
    await this.rows(`SET memory_limit = '${MEMORY_LIMIT_MB + Math.ceil(number / 4)}MB'`);
  }

  /** Ends all reading and removes what was put into the temporary directory. */
  async close(): Promise<void> {
    this.signal?.removeEventListener("abort", this.#interrupt);
    this.#connection.closeSync();
    this.#instance.closeSync();
    // DuckDB removes it itself, unless a scan that was never finished still holds the instance.
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The rows that `sql` gives, as JSON values (integers of 64 bits and more are strings). */
  async rows(sql: string): Promise<unknown[][]> {
    this.#refuseWhenInterrupted();
    try {
      return (await this.#connection.runAndReadAll(sql)).getRowsJson();
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }

  /**
   * Checks that `sql` is one query that only reads, without running it, and gives the names of its columns.
   */
  async queryColumns(sql: string): Promise<string[] | undefined> {
    try {
      const statement = await this.#connection.prepare(sql);
      const reads = statement.statementType === this.#duckdb.StatementType.SELECT;
      const names = Array.from({ length: statement.columnCount }, (_, i) => statement.columnName(i));
      statement.destroySync();
      return reads ? names : undefined;
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }

  /**
   * Streams the columns that the SQL expressions give, as DOUBLE, of the rows of `relation`, in order: `rows` at a time
   * (at the end fewer), row-major, NaN in place of NULL.
   */
  async *stream(
    expressions: readonly string[],
    relation: string,
    rows: number,
  ): AsyncGenerator<Float64Array> {
    const columns = expressions.map((sql) => `coalesce(CAST(${sql} AS DOUBLE), 'NaN')`);
    const width = columns.length;
    let values = new Float64Array(rows * width);
    let filled = 0;
    // A connection carries one streaming result at a time, so each stream has its own.
    const connection = await this.#instance.connect();
    this.#streams.add(connection);
    try {
      const result = await connection.stream(`SELECT ${columns.join(", ")} FROM ${relation}`);
      for await (const block of result) {
        this.#refuseWhenInterrupted();
        for (let start = 0; start < block.rowCount; ) {
          const end = Math.min(block.rowCount, start + rows - filled);
          copyRows(block, start, end, values.subarray(filled * width));
          filled += end - start;
          start = end;
          if (filled < rows) continue;
          yield values;
          values = new Float64Array(rows * width);
          filled = 0;
        }
      }
    } catch (error) {
      throw databaseError(error, this.source);
    } finally {
      this.#streams.delete(connection);
      connection.closeSync();
    }
    if (filled > 0) yield values.slice(0, filled * width);
  }

  /**
   * Makes a table of the DOUBLE columns c0, c1... from row-major chunks and gives its number of rows. Errors of `chunks`
   * pass through as they are.
   */
  async createTable(name: string, width: number, chunks: Chunks): Promise<number> {
    const { DuckDBDataChunk, DOUBLE } = this.#duckdb;
    const columns = Array.from({ length: width }, (_, d) => `c${d} DOUBLE`);
    await this.rows(`CREATE OR REPLACE TABLE ${name} (${columns.join(", ")})`);
    const appender = await this.#connection.createAppender(name);
    const block = DuckDBDataChunk.create(columns.map(() => DOUBLE));
    const capacity = 2048 * width;
    let numbers = 0;
    for await (const chunk of readAhead(chunks)) {
      for (let start = 0; start < chunk.length; start += capacity) {
        fill(block, chunk.subarray(start, start + capacity));
        this.#attempt(() => appender.appendDataChunk(block));
      }
      numbers += chunk.length;
    }
    this.#attempt(() => appender.closeSync());
    return numbers / width;
  }

  /** Runs a COPY to a file. Errors of the file system come as DuckDB words them; see `writeError`. */
  async copy(select: string, path: string, options: string): Promise<void> {
    this.#refuseWhenInterrupted();
    try {
      await this.#connection.run(
        `COPY (${select}) TO ${stringLiteral(path)} (USE_TMP_FILE false, ${options})`,
      );
    } catch (error) {
      throw (error as Error).message.includes(path) ? error : databaseError(error, this.source);
    }
  }

  #refuseWhenInterrupted(): void {
    if (this.signal?.aborted) throw interruptedError(this.source);
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }
}

/** Copies rows of a block whose columns are all DOUBLE without NULL to the start of a row-major array. */
function copyRows(block: DuckDBDataChunk, start: number, end: number, values: Float64Array): void {
  const width = block.columnCount;
  for (let d = 0; d < width; d++) {
    const column = block.getColumnVector(d) as DuckDBDoubleVector;
    for (let row = start, i = d; row < end; row++, i += width) values[i] = column.getItem(row)!;
  }
}

/** Puts row-major values into a block whose columns are all DOUBLE. */
function fill(block: DuckDBDataChunk, values: Float64Array): void {
  const width = block.columnCount;
  const rowCount = values.length / width;
  block.reset();
  block.rowCount = rowCount;
  for (let d = 0; d < width; d++) {
    const column = block.getColumnVector(d) as DuckDBDoubleVector;
    for (let row = 0, i = d; row < rowCount; row++, i += width) column.setItem(row, values[i]!);
    column.flush();
  }
}
