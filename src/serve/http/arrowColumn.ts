import { PushforwardError } from "../../check/index.ts";
import { type TableRow, typedText } from "../../tables/columns/index.ts";
import type { FlatTable } from "./flatTable.ts";

type Value = TableRow[string];

/** Prepares to read a column of a batch, and returns the function of n that reads row n. `next` returns the next buffer of the batch. */
export type BatchReader<T extends Value = Value> = (next: () => DataView, rows: number) => (n: number) => T;

/** A column of an Arrow stream. */
export interface ArrowColumn {
  readonly name: string;
  /** Whether the values, or the entries of the dictionary, have the type null: it has no buffers, and all values are missing. */
  readonly isNull: boolean;
  /** Reads the values, or the entries of the dictionary if there is one. */
  readonly read: BatchReader;
  /** The number of the dictionary, and how the indices of its entries are read. */
  readonly dictionary?: { readonly id: number; readonly read: BatchReader<number> };
}

/** The numbers of types in Arrow's Schema.fbs. */
const TYPES = { null: 1, int: 2, float: 3, utf8: 5, bool: 6, date: 8, time: 9, timestamp: 10, largeUtf8: 20 };
/** Conversions to milliseconds from Arrow's units of time: seconds, milliseconds, microseconds and nanoseconds. */
const IN_MILLISECONDS = [
  (time: number) => time * 1000,
  (time: number) => time,
  (time: number) => Math.floor(time / 1e3),
  // A float64 represents the nanoseconds since 1970 of present dates in steps of 256 ns, so they are rounded to microseconds first.
  (time: number) => Math.floor(Math.round(time / 1e3) / 1e3),
];

/** A column by its field in the schema. Throws `DATA` for a type of values that tables of models do not have. */
export function arrowColumn(field: FlatTable): ArrowColumn {
  const name = field.text(4);
  const type = field.uint8(8);
  const read = readerOf(type, field.table(10));
  if (!read || field.tables(14).length > 0) {
    throw new PushforwardError(
      "DATA",
      `column "${name}" of the Arrow stream has a type that is not supported`,
      {
        expected: `${Object.keys(TYPES).join(", ")}, or a dictionary of them`,
        received: `type ${type} of the Arrow format`,
        hint: "Send only the columns of the model, as numbers, strings, booleans, dates or times.",
      },
    );
  }
  const dictionary = field.table(12);
  return {
    name,
    isNull: type === TYPES.null,
    read,
    ...(dictionary && { dictionary: { id: dictionary.int64(4), read: integers(dictionary.table(6)) } }),
  };
}

/** How values of a type are read; undefined for other types than those of `TYPES`. */
function readerOf(type: number, details: FlatTable | undefined): BatchReader | undefined {
  switch (type) {
    case TYPES.null:
      return () => () => null;
    case TYPES.int:
      return integers(details);
    case TYPES.float:
      return [undefined, numbers("getFloat32", 4), numbers("getFloat64", 8)][details?.int16(4) ?? 0];
    case TYPES.bool:
      return (next, rows) => {
        const bits = withBytes(next(), rows / 8);
        return (n) => hasBit(bits, n);
      };
    case TYPES.utf8:
      return texts(numbers("getInt32", 4));
    case TYPES.largeUtf8:
      return texts(numbers("getBigInt64", 8));
    case TYPES.date:
      return details?.int16(4, 1) === 0
        ? times("date", numbers("getInt32", 4), (day) => day * 86_400_000)
        : times("date", numbers("getBigInt64", 8), (time) => time);
    case TYPES.time: {
      const unit = details?.int16(4, 1) ?? 1;
      return times(
        "time",
        unit < 2 ? numbers("getInt32", 4) : numbers("getBigInt64", 8),
        IN_MILLISECONDS[unit],
      );
    }
    case TYPES.timestamp:
      return times("timestamp", numbers("getBigInt64", 8), IN_MILLISECONDS[details?.int16(4) ?? 0]);
    default:
      return undefined;
  }
}

type Getter = Extract<keyof DataView, `get${string}`>;

const numbers =
  (get: Getter, bytes: number): BatchReader<number> =>
  (next, rows) => {
    const view = withBytes(next(), rows * bytes);
    return (n) => Number(view[get](n * bytes, true));
  };

/** Without details, as for the indices of a dictionary, integers have 32 bits and a sign. */
function integers(details: FlatTable | undefined): BatchReader<number> {
  const bits = details?.int32(4) ?? 32;
  if (![8, 16, 32, 64].includes(bits)) throw new RangeError(`integers of ${bits} bits`);
  const sign = details?.uint8(6) === 0 ? "Uint" : "Int";
  return numbers(`get${bits === 64 ? "Big" : ""}${sign}${bits}` as Getter, bits / 8);
}

/** Strings between offsets. The offsets must ascend, so that all strings together are not longer than their buffer. */
const texts =
  (readOffsets: BatchReader<number>): BatchReader<string> =>
  (next, rows) => {
    // Without rows, the first offset may be absent.
    const offset = readOffsets(next, rows === 0 ? 0 : rows + 1);
    const bytes = next();
    const decoder = new TextDecoder();
    return (n) => {
      const [start, end] = [offset(n), offset(n + 1)];
      if (start < 0 || start > end) throw new RangeError("the offsets of strings descend");
      withBytes(bytes, end);
      return decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
    };
  };

const times =
  (
    type: "date" | "time" | "timestamp",
    read: BatchReader<number>,
    milliseconds: ((time: number) => number) | undefined,
  ): BatchReader<string> =>
  (next, rows) => {
    if (!milliseconds) throw new RangeError("an unknown unit of time");
    const value = read(next, rows);
    return (n) => typedText(type, milliseconds(value(n)));
  };

/** The buffer. Throws a `RangeError` if it has fewer bytes. */
function withBytes(buffer: DataView, bytes: number): DataView {
  if (buffer.byteLength >= bytes) return buffer;
  throw new RangeError("a buffer is too short");
}

/** Bit n of a buffer, the lowest bit of each byte first. */
export const hasBit = (bits: DataView, n: number): boolean => (bits.getUint8(n >> 3) & (1 << (n & 7))) !== 0;
