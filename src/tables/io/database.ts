import { mkdir, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type {
  DuckDBBlobVector,
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDoubleVector,
  DuckDBInstance,
} from "@duckdb/node-api";
import { readAhead } from "../../dataset/index.ts";
import { interruptedError, removeAbandoned, temporaryName } from "../../files/index.ts";
import { importOptional, TABLES } from "../../package/index.ts";
import { databaseError, MEMORY_LIMIT_MB } from "./databaseError.ts";

/** Text as a string literal of SQL. */
export const stringLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Text as an SQL expression, even if it contains the character 0, at which a literal would end. */
export const textLiteral = (text: string): string =>
  text.split("\u0000").map(stringLiteral).join(" || chr(0) || ");

/**
 * Row-major arrays of any number of whole rows. The next array is requested while one is in use, so an array must not be reused for the
 * next one.
 */
export type Chunks = Iterable<Float64Array> | AsyncIterable<Float64Array>;

/** With more columns, DuckDB's chunks of 2,048 rows do not fit into the default limit of 512 MB. */
const MAX_COLUMNS_AT_DEFAULT_MEMORY = 500;

/** The size of a chunk of DuckDB (`STANDARD_VECTOR_SIZE`). */
const CHUNK_ROWS = 2048;

/** With more columns, DuckDB does not search for common subexpressions. The time of this search grows with the square of the columns: a minute for 2,000. */
const MAX_WIDTH_FOR_COMMON_SUBEXPRESSIONS = 500;

/**
 * A DuckDB instance that uses at most 512 MB of memory (more for many columns) and a temporary directory.
 *
 * `open` loads DuckDB; importing this module does not. Error messages contain `source`. When `signal` is aborted, running queries
 * fail with INTERRUPTED.
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

  /** Returns the path of a new file in the temporary directory. */
  async temporaryFile(): Promise<string> {
    await mkdir(this.#directory, { recursive: true });
    return join(this.#directory, `${crypto.randomUUID()}.input`);
  }

  /**
   * Raises the memory limit for tables of many columns, and uses a single thread: each thread of DuckDB reserves memory for all columns,
   * even if there are few rows.
   */
  async prepareForColumns(number: number): Promise<void> {
    if (number <= MAX_COLUMNS_AT_DEFAULT_MEMORY) return;
    await this.run("SET threads = 1");
    await this.run(`SET memory_limit = '${MEMORY_LIMIT_MB + Math.ceil(number / 4)}MB'`);
  }

  /** Closes all connections and removes the temporary directory. */
  async close(): Promise<void> {
    this.signal?.removeEventListener("abort", this.#interrupt);
    this.#connection.closeSync();
    this.#instance.closeSync();
    // DuckDB removes the directory itself, unless an unfinished scan still uses the instance.
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Runs SQL and returns its rows as JSON values. Integers of 64 bits and more are strings. */
  async run(sql: string): Promise<unknown[][]> {
    this.#throwIfInterrupted();
    try {
      return (await this.#connection.runAndReadAll(sql)).getRowsJson();
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }

  /**
   * The names of the columns of a query, which is not run. Undefined if `sql` is not a single query that only reads.
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
   * Streams the values of SQL expressions for the rows of `relation`, in their order. Each array has `rows` rows, the last one
   * possibly fewer, in row-major order, with NaN for NULL.
   */
  async *stream(
    expressions: readonly string[],
    relation: string,
    rows: number,
  ): AsyncGenerator<Float64Array> {
    const columns = expressions.map((sql) => `coalesce(CAST(${sql} AS DOUBLE), 'NaN')`);
    const width = columns.length;
    if (width > MAX_WIDTH_FOR_COMMON_SUBEXPRESSIONS)
      await this.run("SET disabled_optimizers = 'common_subexpressions'");
    let values = new Float64Array(rows * width);
    let filled = 0;
    for await (const block of this.#chunks(`SELECT ${columns.join(", ")} FROM ${relation}`)) {
      for (let start = 0; start < block.rowCount; ) {
        const end = Math.min(block.rowCount, start + rows - filled);
        copyChunk(block, start, end, values.subarray(filled * width));
        filled += end - start;
        start = end;
        if (filled < rows) continue;
        yield values;
        values = new Float64Array(rows * width);
        filled = 0;
      }
    }
    if (filled > 0) yield values.slice(0, filled * width);
  }

  /** Streams the values of an SQL expression of type BLOB for the rows of `relation`, in their order, with null for NULL. */
  async *streamBytes(expression: string, relation: string): AsyncGenerator<Uint8Array | null> {
    for await (const block of this.#chunks(`SELECT ${expression} FROM ${relation}`)) {
      const column = block.getColumnVector(0) as DuckDBBlobVector;
      for (let row = 0; row < block.rowCount; row++) {
        this.#throwIfInterrupted();
        yield column.getItem(row)?.bytes ?? null;
      }
    }
  }

  /** Streams the result of a query. */
  async *#chunks(sql: string): AsyncGenerator<DuckDBDataChunk> {
    // A connection can have only one streaming result at a time.
    const connection = await this.#instance.connect();
    this.#streams.add(connection);
    try {
      for await (const chunk of await connection.stream(sql)) {
        this.#throwIfInterrupted();
        yield chunk;
      }
      // With one thread, DuckDB ends an interrupted result without an error.
      this.#throwIfInterrupted();
    } catch (error) {
      throw databaseError(error, this.source);
    } finally {
      this.#streams.delete(connection);
      connection.closeSync();
    }
  }

  /**
   * Creates a table with the DOUBLE columns c0, c1... from row-major chunks, and returns its number of rows. An error that `chunks`
   * throws is thrown unchanged.
   */
  async createTable(name: string, width: number, chunks: Chunks): Promise<number> {
    const { DuckDBDataChunk, DOUBLE } = this.#duckdb;
    const columns = Array.from({ length: width }, (_, d) => `c${d} DOUBLE`);
    await this.run(`CREATE OR REPLACE TABLE ${name} (${columns.join(", ")})`);
    const appender = await this.#connection.createAppender(name);
    const block = DuckDBDataChunk.create(columns.map(() => DOUBLE));
    const capacity = CHUNK_ROWS * width;
    let numbers = 0;
    for await (const chunk of readAhead(chunks)) {
      for (let start = 0; start < chunk.length; start += capacity) {
        fillChunk(block, chunk.subarray(start, start + capacity));
        this.#rethrow(() => appender.appendDataChunk(block));
      }
      numbers += chunk.length;
    }
    this.#rethrow(() => appender.closeSync());
    return numbers / width;
  }

  /** Runs a COPY to a file. An error about this file is thrown unchanged, because `writeError` converts it. */
  async copy(select: string, path: string, options: string): Promise<void> {
    this.#throwIfInterrupted();
    try {
      await this.#connection.run(
        `COPY (${select}) TO ${stringLiteral(path)} (USE_TMP_FILE false, ${options})`,
      );
    } catch (error) {
      throw (error as Error).message.includes(path) ? error : databaseError(error, this.source);
    }
  }

  #throwIfInterrupted(): void {
    if (this.signal?.aborted) throw interruptedError(this.source);
  }

  #rethrow(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw databaseError(error, this.source);
    }
  }
}

/** Copies rows of a chunk, whose columns are all DOUBLE without NULL, to the start of a row-major array. */
function copyChunk(block: DuckDBDataChunk, start: number, end: number, values: Float64Array): void {
  const width = block.columnCount;
  for (let d = 0; d < width; d++) {
    const column = block.getColumnVector(d) as DuckDBDoubleVector;
    for (let row = start, i = d; row < end; row++, i += width) values[i] = column.getItem(row)!;
  }
}

/** Replaces the content of a chunk, whose columns are all DOUBLE, by row-major values. */
function fillChunk(block: DuckDBDataChunk, values: Float64Array): void {
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
