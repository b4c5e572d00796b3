import { describe, expect, it } from "vitest";
import { Random } from "../../src/random/random.ts";
import {
  decodeRows,
  encodeColumn,
  encodeRows,
  labelCodes,
  NO_CELL,
} from "../../src/tables/columns/encode.ts";
import { featureNames, type RawColumn, type TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { tableValue } from "../../src/tables/columns/tableRows.ts";
import { infer } from "./infer.ts";
import { normal, numbers, sequence, texts, times, uniform } from "./rawColumns.ts";

const day = (n: number) => new Date(86_400_000 * n).toISOString().slice(0, 10);
const at = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, -1);
const withGaps = (raw: RawColumn): RawColumn => ({
  ...raw,
  values: raw.values.map((value, n) => (n % 5 === 2 ? Number.NaN : value)),
});

/** Columns of every kind, for a seed. */
function columns(seed: number): Record<string, RawColumn> {
  const u = uniform(120, seed);
  const z = normal(120, seed + 1);
  const center = 10 ** (seed % 12);
  return {
    continuous: numbers(z.map((x) => center + x)),
    integers: numbers(
      z.map((x) => Math.round(center + 9 * x) + 0),
      { type: "integer" },
    ),
    "large integers": numbers(
      z.map((x) => Math.round(1e12 * x)),
      { type: "integer" },
    ),
    tenths: numbers(z.map((x) => Math.round(20 * x + center) / 10 + 0)),
    cents: numbers(u.map((x) => Math.round(center * 100 + 1e5 * x) / 100)),
    thirds: numbers(u.map((x) => Math.floor(9 * x) / 3)),
    positive: numbers(u.map((x) => -center * Math.log(x))),
    bounded: numbers(u),
    "angles with many zeros": numbers(
      z.map((x, n) => (n % 3 === 0 ? 0 : Math.round(10 * ((720 + 60 * x) % 359.9)) / 10)),
      { name: "wind_dir" },
    ),
    angles: numbers(
      z.map((x) => (720 + 60 * x) % 360),
      { name: "wind_dir" },
    ),
    codes: numbers(u.map((x, n) => (n % 7 === 0 ? -999 : 5 * x))),
    capped: numbers(z.map((x) => Math.min(0.5, x))),
    heavy: numbers(u.map((x) => Math.tan(Math.PI * (x - 0.5)))),
    boolean: numbers(
      u.map((x) => Number(x > 0.3)),
      { type: "boolean" },
    ),
    text: texts(u.map((x) => ["a", "b", "🎉", "née"][Math.floor(4 * x)]!)),
    "a constant": numbers(u.map(() => 1.25)),
    "a constant date": times(
      "date",
      u.map(() => "1969-12-31"),
    ),
    "nothing at all": numbers(u.map(() => null)),
    days: times(
      "date",
      u.map((x) => day(Math.floor(4000 * x - 2000))),
    ),
    "days of a thousand years": times(
      "date",
      u.map((x) => day(Math.floor(4e5 * (x - 0.5)))),
    ),
    "days with a far code": times(
      "date",
      u.map((x, n) => (n % 9 === 0 ? "9999-12-31" : day(Math.floor(4000 * x)))),
    ),
    "ends of months": times(
      "date",
      u.map((x) => day(new Date(Date.UTC(2000, 1 + Math.floor(60 * x), 0)).getTime() / 86_400_000)),
    ),
    "days 29": times(
      "date",
      u.map((x) => `20${10 + Math.floor(9 * x)}-0${3 + Math.floor(6 * x)}-29`),
    ),
    timestamps: times(
      "timestamp",
      u.map((x) => at(Math.floor(1e12 * (x - 0.5)))),
    ),
    hours: times(
      "timestamp",
      u.map((x) => at(3_600_000 * Math.floor(3e4 * x))),
    ),
    "after 2262": times(
      "timestamp",
      u.map((x) => at(1e13 + Math.floor(1e11 * x))),
    ),
    times: times(
      "time",
      u.map((x) => at(1000 * Math.floor(86_400 * x)).slice(11)),
    ),
  };
}

describe("decoding inverts encoding", () => {
  for (const kind of Object.keys(columns(0))) {
    it(`for ${kind}, with and without gaps`, () => {
      for (let seed = 0; seed < 12; seed++) {
        const complete = columns(seed)[kind]!;
        for (const raw of [complete, withGaps(complete)]) {
          const column = infer(raw);
          const values = labelCodes(column, raw);
          const features = encodeColumn(column, values);
          expect(features).toHaveLength(featureNames(column).length);
          if (column.kind !== "continuous")
            expect(features.some((feature) => feature.includes(NO_CELL))).toBe(false);
          if (column.kind === "constant") continue;
          const [decoded] = decodeRows([column], encodeRows([column], [values]));
          if (column.kind !== "continuous" || column.decimals !== undefined) expect(decoded).toEqual(values);
          else
            for (const [n, value] of decoded!.entries())
              expect(Math.abs(value - values[n]!) || 0).toBeLessThan(1e-15 * Math.abs(column.center) + 1e-12);
        }
      }
    });
  }
});

it("encodes and decodes a table in row-major order, with constants", () => {
  const raw = [columns(1).days!, columns(1)["a constant"]!, columns(1).text!, columns(1).timestamps!];
  const inferred = raw.map((column) => infer(column));
  const values = raw.map((column, i) => labelCodes(inferred[i]!, column));
  const rows = encodeRows(inferred, values);
  expect(inferred.flatMap(featureNames)).toEqual([
    "x.week",
    "x.weekday",
    "x",
    "x.week",
    "x.weekday",
    "x.hour",
    "x.minute",
    "x.second",
    "x.millisecond",
  ]);
  expect(rows).toHaveLength(120 * 9);
  const decoded = decodeRows(inferred, rows);
  expect([decoded[0], decoded[2], decoded[3]]).toEqual([values[0], values[2], values[3]]);
  expect(tableValue(inferred[1]!, decoded[1]![0]!)).toBe(1.25);
});

it("returns numbers that follow the features", () => {
  const column = infer(numbers(sequence(50, (i) => i % 7)));
  expect(decodeRows([column], [3, 0.5, -1, 4, 0.25, -2], 2)).toEqual([
    Float64Array.of(3, 4),
    Float64Array.of(0.5, 0.25),
    Float64Array.of(-1, -2),
  ]);
});

describe("values that a column does not have", () => {
  const encoded = (raw: RawColumn, value: number) =>
    encodeColumn(infer(raw), Float64Array.of(value)).map(([feature]) => feature);

  it("are no cell of a lattice", () => {
    const tenths = numbers(sequence(100, (i) => (i % 30) / 10));
    expect(encoded(tenths, 1.2)).toEqual([12]);
    expect(encoded(tenths, 1.25)).toEqual([NO_CELL]);
    expect(encoded(tenths, -0.1)).toEqual([NO_CELL]);
    expect(encoded(tenths, 1e9)).toEqual([NO_CELL]);
  });

  it("are no cell if a date has another day of the month, week day or time", () => {
    const months = times("date", ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]);
    expect(encoded(months, Date.UTC(2020, 5, 30))).not.toContain(NO_CELL);
    expect(encoded(months, Date.UTC(2020, 5, 29))).toEqual([NO_CELL]);
    const mondays = times("date", ["2020-01-06", "2020-01-13"]);
    expect(encoded(mondays, Date.UTC(2020, 0, 20))).not.toContain(NO_CELL);
    expect(encoded(mondays, Date.UTC(2020, 0, 21))).toEqual([NO_CELL]);
    expect(encoded(mondays, Date.UTC(2020, 0, 20, 18, 45))).toContain(NO_CELL);
    const hours = times("timestamp", ["2020-01-06T10:00", "2020-01-13T12:00"]);
    expect(encoded(hours, Date.UTC(2020, 0, 20, 11))).not.toContain(NO_CELL);
    expect(encoded(hours, Date.UTC(2020, 0, 20, 11, 30))).toContain(NO_CELL);
  });

  it("have the number of the labels as their label", () => {
    const column = infer(texts(["a", "b", "a"]));
    expect(labelCodes(column, texts(["b", "new", null, "a"]))).toEqual(Float64Array.of(1, 2, Number.NaN, 0));
    const flags = infer(numbers([0, 1, 1], { type: "boolean" }));
    expect(labelCodes(flags, numbers([1, 0], { type: "boolean" }))).toEqual(Float64Array.of(1, 0));
    const doses = infer(numbers(sequence(60, (i) => [0.1, 1 / 3, 1e7][i % 3]!)));
    expect(labelCodes(doses, numbers([1 / 3, 5, 1e7]))).toEqual(Float64Array.of(1, 3, 2));
  });
});

describe("samples", () => {
  it("are not moved out of their bounds by rounding, and codes stay outside of them", () => {
    const column: TableColumn = {
      kind: "continuous",
      name: "x",
      type: "number",
      gaps: false,
      center: 0.04,
      low: 0.04,
      high: 0.96,
      codes: [-999],
      scale: { type: "logit", low: 0, high: 0.92 },
      decimals: 1,
    };
    const float32 = Float32Array.of(0.001, 0.3, 0.919, -999.04, 0.92, -1e-9);
    const [decoded] = decodeRows([column], float32);
    expect(decoded).toEqual(Float64Array.of(0.04, 0.3, 0.96, -999, 0.96, 0.04));
  });

  it("are values of the column, whatever the features", () => {
    const random = new Random(3);
    for (const raw of Object.values(columns(2))) {
      const column = infer(raw);
      if (column.kind === "constant") continue;
      const names = featureNames(column);
      const features = names.map((_, f) => {
        const cells =
          column.kind === "time"
            ? column.parts[f]!.cells
            : column.kind === "lattice"
              ? column.cells
              : column.kind === "categorical"
                ? column.labels.length
                : 0;
        return Array.from(random.split(f).uniform(new Float64Array(200)), (u) =>
          cells > 0 ? Math.floor(cells * u) : 20 * (u - 0.5),
        );
      });
      const rows = Float64Array.from(
        { length: 200 * names.length },
        (_, i) => features[i % names.length]![Math.floor(i / names.length)]!,
      );
      const [decoded] = decodeRows([column], rows);
      const again = encodeRows([column], [decoded!]);
      // The last days of short months are drawn for the days that these do not have.
      if (column.kind === "time" && column.parts.some(({ unit }) => unit === "day"))
        expect(again).not.toContain(NO_CELL);
      else if (column.kind !== "continuous") expect(again).toEqual(rows);
      else if (column.decimals !== undefined)
        for (const value of decoded!) expect(Number(value.toFixed(column.decimals))).toBe(value);
    }
  });
});
