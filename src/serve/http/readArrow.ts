import { PushforwardError } from "../../check/index.ts";
import type { TableRow } from "../../tables/columns/index.ts";
import type { ServedColumn } from "../index.ts";
import { type ArrowColumn, arrowColumn, type BatchReader, hasBit } from "./arrowColumn.ts";
import { FlatTable } from "./flatTable.ts";
import { tooManyRows } from "./tableFormat.ts";

type Value = TableRow[string];
type Dictionaries = Map<number, Value[]>;

/** Kinds of messages, by their numbers in Arrow's Message.fbs. */
const MESSAGES = { schema: 1, dictionary: 2, batch: 3 };
/** The number of version 4 of the format, of 2017, in Schema.fbs. Earlier versions have another layout. */
const MIN_VERSION = 3;

/**
 * The rows of an uncompressed Arrow stream, with the values of `columns`. NaN is a missing value, as in pandas.
 *
 * The libraries that read Arrow trust the lengths in a stream, so a few hundred bytes could make them take all memory. Here, memory and
 * time are bounded by the size of the body: each length is compared with that of its buffer before it is used.
 *
 * @throws DATA for more than `maxRows` rows, for nested columns, and for a body that is not an Arrow stream.
 */
export function readArrow(body: Uint8Array, columns: readonly ServedColumn[], maxRows: number): TableRow[] {
  let rows: TableRow[];
  try {
    rows = readMessages(body, new Set(columns.map(({ name }) => name)), maxRows);
  } catch (cause) {
    // A DataView throws a RangeError for addresses outside of it, and so does typedText for dates.
    throw cause instanceof RangeError ? notArrow(cause) : cause;
  }
  if (rows.length > 0) return rows;
  throw new PushforwardError("DATA", "the Arrow stream has no rows", { expected: "at least one row" });
}

const notArrow = (cause?: unknown): PushforwardError =>
  new PushforwardError("DATA", "the body is not a valid Arrow stream", {
    hint: "Write it in the streaming format of Arrow IPC, without compression.",
    cause,
  });

function readMessages(body: Uint8Array, used: ReadonlySet<string>, maxRows: number): TableRow[] {
  const part = (start: number, length: number) => new DataView(body.buffer, body.byteOffset + start, length);
  const view = part(0, body.byteLength);
  const dictionaries: Dictionaries = new Map();
  const rows: TableRow[] = [];
  let columns: ArrowColumn[] | undefined;
  let next = 0;
  while (next < body.byteLength) {
    const start = next + (view.getInt32(next, true) === -1 ? 8 : 4);
    const length = view.getInt32(start - 4, true);
    if (length === 0) break;
    const bodyStart = start + length;
    if (length < 0 || bodyStart > body.byteLength) throw notArrow();
    const message = FlatTable.root(part(start, length));
    const bodyLength = message.int64(10);
    const header = message.table(8);
    next = bodyStart + bodyLength;
    if (!header || message.int16(4) < MIN_VERSION || bodyLength < 0 || next > body.byteLength)
      throw notArrow();
    const type = message.uint8(6);
    if (type === MESSAGES.schema && !columns) columns = header.tables(6).map(arrowColumn);
    else if (type === MESSAGES.batch && columns) {
      const batch = new Batch(header, part(bodyStart, bodyLength));
      if (batch.rows > maxRows - rows.length) throw tooManyRows(maxRows, rows.length + batch.rows);
      for (const row of batchRows(batch, columns, used, dictionaries)) rows.push(row);
    } else if (type === MESSAGES.dictionary && columns) {
      readDictionary(header, part(bodyStart, bodyLength), columns, dictionaries);
    } else throw notArrow();
  }
  return rows;
}

/** Reads the columns of a batch, one after the other. */
class Batch {
  readonly rows: number;
  private readonly nodes: readonly [length: number, missing: number][];
  private readonly buffers: readonly [offset: number, length: number][];
  private readonly body: DataView;
  private nextNode = 0;
  private nextBuffer = 0;

  constructor(header: FlatTable, body: DataView) {
    this.rows = header.int64(4);
    this.nodes = header.pairs(6);
    this.buffers = header.pairs(8);
    this.body = body;
    const isCompressed = header.table(10) !== undefined;
    if (this.rows < 0 || isCompressed) throw notArrow();
  }

  /** The values of the next column. */
  column<T extends Value>(read: BatchReader<T>, isNull = false): (n: number) => T | null {
    const [length] = this.nodes[this.nextNode++] ?? [];
    if (length !== this.rows) throw notArrow();
    if (isNull) return () => null;
    const present = this.buffer();
    const value = read(() => this.buffer(), this.rows);
    return present.byteLength === 0 ? value : (n) => (hasBit(present, n) ? value(n) : null);
  }

  private buffer(): DataView {
    const [offset, length] = this.buffers[this.nextBuffer++] ?? [];
    if (offset === undefined || length === undefined || offset < 0) throw notArrow();
    if (length < 0 || offset + length > this.body.byteLength) throw notArrow();
    return new DataView(this.body.buffer, this.body.byteOffset + offset, length);
  }
}

/** Adds the entries of a message to a dictionary, or replaces it. */
function readDictionary(
  header: FlatTable,
  body: DataView,
  columns: readonly ArrowColumn[],
  dictionaries: Dictionaries,
): void {
  const id = header.int64(4);
  const isAddition = header.uint8(8) !== 0;
  const column = columns.find(({ dictionary }) => dictionary?.id === id);
  const content = header.table(6);
  if (!column || !content) throw notArrow();
  const batch = new Batch(content, body);
  // A dictionary may not have more entries than its body has bytes: an empty string needs only one bit of the body, but much more memory
  // once it is read.
  if (batch.rows > body.byteLength) throw notArrow();
  const value = batch.column(column.read, column.isNull);
  const entries = (isAddition && dictionaries.get(id)) || [];
  for (let n = 0; n < batch.rows; n++) entries.push(value(n));
  dictionaries.set(id, entries);
}

function batchRows(
  batch: Batch,
  columns: readonly ArrowColumn[],
  used: ReadonlySet<string>,
  dictionaries: Dictionaries,
): TableRow[] {
  const rows = Array.from({ length: batch.rows }, (): TableRow => ({}));
  for (const { name, isNull, read, dictionary } of columns) {
    const value = dictionary
      ? entriesOf(batch.column(dictionary.read), dictionaries.get(dictionary.id))
      : batch.column(read, isNull);
    if (!used.has(name)) continue;
    for (const [n, row] of rows.entries()) {
      const present = value(n);
      row[name] = Number.isNaN(present) ? null : present;
    }
  }
  return rows;
}

const entriesOf =
  (index: (n: number) => number | null, entries: readonly Value[] = []): ((n: number) => Value) =>
  (n) => {
    const i = index(n);
    const entry = i === null ? null : entries[i];
    if (entry === undefined) throw notArrow();
    return entry;
  };
