import { rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBDataChunk, DuckDBDoubleVector, DuckDBInstance } from "@duckdb/node-api";
import { databaseError } from "./databaseError.ts";

/** A column name as SQL has it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL has it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Arrays of float64, row-major, of any number of whole rows each. */
export type Chunks = Iterable<Float64Array> | AsyncIterable<Float64Array>;

/**
 * A DuckDB instance in memory that holds at most 512 MB and puts the rest into a temporary directory.
 *
 * DuckDB is loaded by the first `open`, not by importing this module. Errors name `source`.
 */
export class Database {
  readonly source: string;
  readonly #duckdb: typeof import("@duckdb/node-api");
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #directory: string;

  private constructor(
    source: string,
    duckdb: typeof import("@duckdb/node-api"),
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    directory: string,
  ) {
    this.source = source;
    this.#duckdb = duckdb;
    this.#instance = instance;
    this.#connection = connection;
    this.#directory = directory;
  }

  static async open(source: string): Promise<Database> {
    const duckdb = await import("@duckdb/node-api");
    const directory = join(tmpdir(), `pushforward-${crypto.randomUUID()}`);
    const instance = await duckdb.DuckDBInstance.create(":memory:", {
      memory_limit: "512MB",
      temp_directory: directory,
      threads: String(Math.min(4, availableParallelism())),
      preserve_insertion_order: "true",
    });
    return new Database(source, duckdb, instance, await instance.connect(), directory);
  }

  /** Ends all reading and removes what was put into the temporary directory. */
  async close(): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
    // DuckDB removes it itself, unless a scan that was never finished still holds the instance.
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The rows that `sql` gives, as JSON values (integers of 64 bits and more are strings). */
  async rows(sql: string): Promise<unknown[][]> {
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

  /** Streams a query whose columns are all DOUBLE, in order, without holding more than a few chunks of it. */
  async *stream(sql: string): AsyncGenerator<{ rows: number; columns: DuckDBDoubleVector[] }> {
    // A connection carries one streaming result at a time, so each stream has its own.
    const connection = await this.#instance.connect();
    try {
      for await (const chunk of await connection.stream(sql)) {
        yield { rows: chunk.rowCount, columns: doubleVectors(chunk) };
      }
    } catch (error) {
      throw databaseError(error, this.source);
    } finally {
      connection.closeSync();
    }
  }

  /**
   * Makes a table of the DOUBLE columns c0, c1... from row-major chunks, NaN becoming NULL, and gives its number of
   * rows. Errors of `chunks` pass through as they are.
   */
  async createTable(name: string, width: number, chunks: Chunks): Promise<number> {
    const { DuckDBDataChunk, DOUBLE } = this.#duckdb;
    const columns = Array.from({ length: width }, (_, d) => `c${d} DOUBLE`);
    await this.rows(`CREATE OR REPLACE TABLE ${name} (${columns.join(", ")})`);
    const appender = await this.#connection.createAppender(name);
    const block = DuckDBDataChunk.create(columns.map(() => DOUBLE));
    const capacity = 2048;
    let total = 0;
    for await (const chunk of chunks) {
      const rows = chunk.length / width;
      for (let start = 0; start < rows; start += capacity) {
        fill(block, chunk.subarray(start * width, (start + capacity) * width));
        this.#attempt(() => appender.appendDataChunk(block));
      }
      total += rows;
    }
    this.#attempt(() => appender.closeSync());
    return total;
  }

  /** Runs a COPY to a file. Errors of the file system come as DuckDB words them; see `writeError`. */
  async copy(select: string, path: string, options: string): Promise<void> {
    try {
      await this.#connection.run(`COPY (${select}) TO ${literal(path)} (USE_TMP_FILE false, ${options})`);
    } catch (error) {
      throw (error as Error).message.includes(path) ? error : databaseError(error, this.source);
    }
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }
}

/** Puts row-major values into a chunk, NaN as NULL. */
function fill(block: DuckDBDataChunk, values: Float64Array): void {
  block.reset();
  block.rowCount = values.length / block.columnCount;
  for (const [d, vector] of doubleVectors(block).entries()) {
    for (let row = 0; row < block.rowCount; row++) {
      const value = values[row * block.columnCount + d]!;
      vector.setItem(row, Number.isNaN(value) ? null : value);
    }
    vector.flush();
  }
}

function doubleVectors(chunk: DuckDBDataChunk): DuckDBDoubleVector[] {
  return Array.from({ length: chunk.columnCount }, (_, d) => chunk.getColumnVector(d) as DuckDBDoubleVector);
}
