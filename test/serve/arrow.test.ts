import { inflateRawSync } from "node:zlib";
import {
  bool,
  columnFromArray,
  type DataType,
  dateDay,
  dateMillisecond,
  dictionary,
  float32,
  float64,
  int8,
  int64,
  largeUtf8,
  list,
  nullType,
  TimeUnit,
  tableFromColumns,
  tableFromIPC,
  tableToIPC,
  timeMicrosecond,
  timeMillisecond,
  timestamp,
  uint16,
  utf8,
} from "@uwdata/flechette";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PushforwardError } from "../../src/index.ts";
import { arrow } from "../../src/serve/http/arrow.ts";
import type { ServedColumn } from "../../src/serve/servedModel.ts";

const columnsOf = (...names: string[]): ServedColumn[] =>
  names.map((name) => ({ name, type: "text", kind: "", details: "" }));

type Columns = Record<string, [type: DataType, values: readonly unknown[]]>;

/** The bytes of a stream, which flechette writes. */
function stream(columns: Columns, options: { maxBatchRows?: number } = {}): Uint8Array {
  const written = Object.entries(columns).map(
    ([name, [type, values]]): [string, ReturnType<typeof columnFromArray>] => [
      name,
      columnFromArray([...values], type, options),
    ],
  );
  return tableToIPC(tableFromColumns(written), { format: "stream" })!;
}

const ALL: Columns = {
  real: [float64(), [1.5, null, Number.NaN]],
  short: [float32(), [0.5, 1, -2]],
  byte: [int8(), [-3, 4, null]],
  unsigned: [uint16(), [65_535, 0, 1]],
  long: [int64(), [-5, 2 ** 40, 0]],
  text: [utf8(), ["", "é", null]],
  large: [largeUtf8(), ["a", "bc", ""]],
  label: [dictionary(utf8()), ["Bern", "Zug", "Bern"]],
  flag: [bool(), [true, null, false]],
  day: [dateDay(), [new Date("2024-02-29"), new Date("1969-12-31"), null]],
  date: [dateMillisecond(), [new Date("2024-02-29"), null, new Date("2000-01-01")]],
  time: [timeMillisecond(), [3_600_001, 0, null]],
  exact: [timeMicrosecond(), [3_600_001_000, 0, null]],
  moment: [timestamp(TimeUnit.SECOND), [new Date("2024-02-29T12:30:01Z"), null, new Date(0)]],
  fine: [timestamp(TimeUnit.NANOSECOND, "UTC"), [new Date("2024-02-29T12:30:01.5Z"), null, new Date(0)]],
  none: [nullType(), [null, null, null]],
};

describe("an Arrow stream", () => {
  test("has rows with columns of every type, in any number of batches", () => {
    const rows = arrow.read(stream(ALL), columnsOf(...Object.keys(ALL)), 3);
    expect(rows[0]).toMatchInlineSnapshot(`
      {
        "byte": -3,
        "date": "2024-02-29",
        "day": "2024-02-29",
        "exact": "01:00:00.001",
        "fine": "2024-02-29 12:30:01.500",
        "flag": true,
        "label": "Bern",
        "large": "a",
        "long": -5,
        "moment": "2024-02-29 12:30:01",
        "none": null,
        "real": 1.5,
        "short": 0.5,
        "text": "",
        "time": "01:00:00.001",
        "unsigned": 65535,
      }
    `);
    expect(rows[1]).toMatchInlineSnapshot(`
      {
        "byte": 4,
        "date": null,
        "day": "1969-12-31",
        "exact": "00:00:00",
        "fine": null,
        "flag": null,
        "label": "Zug",
        "large": "bc",
        "long": 1099511627776,
        "moment": null,
        "none": null,
        "real": null,
        "short": 1,
        "text": "é",
        "time": "00:00:00",
        "unsigned": 0,
      }
    `);
    expect(arrow.read(stream(ALL, { maxBatchRows: 1 }), columnsOf(...Object.keys(ALL)), 3)).toEqual(rows);
  });

  test("may have a dictionary of the type null, as a column of labels without any value has", () => {
    // By apache-arrow 21, because flechette does not write it: tableToIPC of { x, n: [1, 2] }, x a dictionary of the type null.
    const compressed =
      "dZFBDoIwEEUftYkNEmkiURYuPISH8QgujGsP5CE8ircZ098SCOB0MZ1p//tDMTP7ApEUNZE9WwK1aqqg5HmYmQcccAM6aXo8Ow6q" +
      "GjG6oivZpV4FPHPN28xS6yL9mUDLSZwo/XXJUE6MV2F4LQgEVUHuqW4Imn6c3czsPjLXvtHFQs2dzBveI3O9TgafISqWkfw+E7+G" +
      "Ix0tES9tP17dRLnV9Jo7e3Tlfd2E6Sf78CfH2Rxxdk5husmemc9aVOWO5f/GDw==";
    const bytes = inflateRawSync(Buffer.from(compressed, "base64"));
    expect(arrow.read(bytes, columnsOf("x", "n"), 2)).toEqual([
      { x: null, n: 1 },
      { x: null, n: 2 },
    ]);
  });

  test("has the columns of the model only", () => {
    expect(arrow.read(stream(ALL), columnsOf("unsigned", "other"), 3)).toEqual([
      { unsigned: 65_535 },
      { unsigned: 0 },
      { unsigned: 1 },
    ]);
  });

  test("is written with numbers, booleans and text", () => {
    const rows = [
      { x: 1.5, n: 3, is: true, since: "2024-02-29" },
      { x: null, n: -1, is: null, since: null },
      { x: Number.NEGATIVE_INFINITY, n: 2 ** 40, is: false, since: "" },
    ];
    const types = { x: "number", n: "integer", is: "boolean", since: "date" } as const;
    const columns = Object.entries(types).map(([name, type]) => ({ name, type, kind: "", details: "" }));
    const bytes = arrow.write(columns, rows);
    expect(tableFromIPC(bytes).toArray()).toEqual(rows);
    expect(arrow.read(bytes, columns, 3)).toEqual(rows);
  });

  test("is refused where it has too many rows, no rows, columns of columns, or is something else", () => {
    const refused = (bytes: Uint8Array, maxRows = 10) => {
      try {
        arrow.read(bytes, columnsOf("x"), maxRows);
      } catch (error) {
        return (error as PushforwardError).message;
      }
      throw new Error("it was accepted");
    };
    const numbers: Columns = { x: [float64(), [1, 2, 3]] };
    const inner = tableToIPC(tableFromColumns([["x", columnFromArray([[1], [2]], list(float64()))]]), {
      format: "stream",
    })!;
    expect([
      refused(stream(numbers), 2),
      refused(stream({ x: [float64(), []] })),
      refused(inner),
      refused(new TextEncoder().encode("x\n1\n")),
      refused(stream(numbers).slice(0, -20)),
    ]).toMatchInlineSnapshot(`
      [
        "the request has too many rows: expected at most 2, received 3.
      Split it into several requests.",
        "the Arrow stream has no rows: expected at least one row.",
        "column "x" of the Arrow stream has a type that is not supported: expected null, int, float, utf8, bool, date, time, timestamp, largeUtf8, or a dictionary of them, received type 12 of the Arrow format.
      Send only the columns of the model, as numbers, strings, booleans, dates or times.",
        "the body is not a valid Arrow stream.
      Write it in the streaming format of Arrow IPC, without compression.",
        "the body is not a valid Arrow stream.
      Write it in the streaming format of Arrow IPC, without compression.",
      ]
    `);
  });

  test("that is damaged anywhere is refused or has no more rows than allowed, in time and memory of its size", () => {
    const valid = stream(ALL);
    const words = new DataView(valid.buffer, valid.byteOffset, valid.byteLength);
    const read = (bytes: Uint8Array) => {
      try {
        expect(arrow.read(bytes, columnsOf(...Object.keys(ALL)), 5).length).toBeLessThanOrEqual(5);
      } catch (error) {
        expect(error).toBeInstanceOf(PushforwardError);
      }
    };
    const start = performance.now();
    const hostile = [0x7f_ff_ff_ff, -1, -(2 ** 31), 0x00_ff_ff_ff, 5, 0];
    for (let offset = 0; offset + 4 <= valid.length; offset += 4) {
      const original = words.getInt32(offset, true);
      for (const value of hostile) {
        words.setInt32(offset, value, true);
        read(valid);
      }
      words.setInt32(offset, original, true);
    }
    for (let length = 0; length < valid.length; length += 7) read(valid.subarray(0, length));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const changed = valid.slice();
          for (const [offset, byte] of changes) changed[offset] = byte;
          read(changed);
        },
      ),
      { numRuns: 300 },
    );
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("cannot name one long text many times", () => {
    const labels = Array.from({ length: 1000 }, (_, i) => "x".repeat(i % 2 === 0 ? 1000 : 0));
    const bytes = stream({ x: [utf8(), labels] });
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // The offsets of the texts ascend by a thousand at every second text. Here they alternate between 0 and the end.
    const first = Array.from({ length: bytes.length / 4 - 3 }, (_, i) => 4 * i).find((offset) =>
      [0, 1000, 1000, 2000].every((value, i) => words.getInt32(offset + 4 * i, true) === value),
    )!;
    for (let i = 0; i <= 1000; i++) words.setInt32(first + 4 * i, i % 2 === 0 ? 0 : 500_000, true);
    expect(() => arrow.read(bytes, columnsOf("x"), 1000)).toThrow("not a valid Arrow stream");
  });
});
