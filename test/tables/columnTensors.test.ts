import { expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { decodeTensors, encodeTensors } from "../../src/tables/columns/columnTensors.ts";
import { decodeRows, encodeColumn, encodeRows } from "../../src/tables/columns/encode.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { UnlearnedCounts } from "../../src/tables/columns/unlearned.ts";

const N = 400;

/** Times of the years 1000 to 3000, and the first and last days of February and March. */
function times(seed: number): Float64Array {
  const [from, to] = [Date.UTC(1000, 0), Date.UTC(3000, 0)];
  const uniform = new Random(seed).uniform(new Float64Array(N));
  const random = uniform.map((u) => from + Math.floor(u * (to - from)));
  const edges = [1700, 1900, 2000, 2023, 2024, 2100, 2400].flatMap((year) => [
    Date.UTC(year, 1, 28),
    Date.UTC(year, 1, 29),
    Date.UTC(year, 2, 1),
    Date.UTC(year, 11, 31),
    Date.UTC(year, 0, 1),
  ]);
  random.set(edges);
  random[N - 1] = Number.NaN;
  return random;
}

const time = (column: Partial<Extract<TableColumn, { kind: "time" }>>): TableColumn => ({
  kind: "time",
  name: "t",
  type: "timestamp",
  gaps: true,
  parts: [],
  fixed: [],
  ...column,
});
const clock = [
  { unit: "hour", first: 0, cells: 24 },
  { unit: "minute", first: 0, cells: 60 },
  { unit: "second", first: 0, cells: 60 },
  { unit: "millisecond", first: 0, cells: 1000 },
] as const;
const month = { unit: "month", first: 12 * 1000, cells: 2000 * 12 } as const;

/** Names, columns and values. */
const CASES: readonly (readonly [name: string, column: TableColumn, values: Float64Array])[] = [
  [
    "weeks, weekdays and times of the day",
    time({
      parts: [
        { unit: "week", first: -60_000, cells: 2 ** 17 },
        { unit: "weekday", first: 0, cells: 7 },
        ...clock,
      ],
    }),
    times(1),
  ],
  [
    "quarters of an hour, and every fourth week",
    time({
      parts: [
        { unit: "week", first: -60_000, step: 4, cells: 2 ** 15 },
        { unit: "hour", first: 0, cells: 24 },
        { unit: "minute", first: 0, step: 15, cells: 4 },
      ],
      fixed: [
        { unit: "weekday", value: 0 },
        { unit: "second", value: 0 },
        { unit: "millisecond", value: 0 },
      ],
    }),
    // 1970-01-05 was a Monday. Some weeks and some minutes are in no cell.
    Float64Array.from(
      { length: N },
      (_, i) => 4 * 864e5 + 2 * i * 7 * 864e5 + (i % 24) * 36e5 + (i % 8) * 45e4,
    ),
  ],
  ["months and days", time({ parts: [month, { unit: "day", first: 0, cells: 31 }, ...clock] }), times(2)],
  [
    "last days of months",
    time({ parts: [month], dayOfMonth: 31, type: "date" }),
    times(3).map((t) => Math.floor(t / 864e5) * 864e5),
  ],
  [
    "days 29 of months",
    time({ parts: [month], dayOfMonth: 29, type: "date" }),
    times(4).map((t) => Math.floor(t / 864e5) * 864e5),
  ],
  [
    "dates, some with a time of day",
    time({ parts: [month, { unit: "day", first: 0, cells: 31 }], type: "date" }),
    times(6).map((t, i) => (i % 3 === 0 ? t : Math.floor(t / 864e5) * 864e5)),
  ],
  [
    "times with a fixed hour",
    time({ parts: clock.slice(1), fixed: [{ unit: "hour", value: 7 }], type: "time" }),
    times(5).map((t) => ((t % 864e5) + 864e5) % 864e5),
  ],
  [
    "a circle",
    {
      kind: "continuous",
      name: "c",
      type: "number",
      gaps: true,
      center: 170.25,
      low: 0,
      high: 360,
      codes: [-1, 999],
      scale: { type: "logit", low: 0, high: 360 },
      period: 360,
      cut: 170.25,
    },
    Float64Array.from({ length: N }, (_, i) => [i % 360, -1, 999, Number.NaN, 170, 170.5, 359.5][i % 7]!),
  ],
  [
    "a lattice",
    {
      kind: "lattice",
      name: "l",
      type: "number",
      gaps: true,
      first: -1.2,
      step: 0.1,
      cells: 50,
      decimals: 1,
      scale: { type: "linear" },
    },
    Float64Array.from({ length: N }, (_, n) =>
      n % 7 === 0 ? Number.NaN : n % 5 === 0 ? 0.123 * n : Number((-2 + n / 10).toFixed(1)),
    ),
  ],
  [
    "numbers with bounds and codes",
    {
      kind: "continuous",
      name: "c",
      type: "number",
      gaps: false,
      center: 0,
      low: 0,
      high: 1,
      codes: [-99, 9],
      decimals: 3,
      scale: { type: "linear" },
    },
    Float64Array.from(
      { length: N },
      (_, n) => [-99, 9, 0, 1, 1.01, -0.2, Number.NaN][n % 20] ?? Number((n / 700).toFixed(3)),
    ),
  ],
  [
    "labels that are numbers",
    { kind: "categorical", name: "k", type: "number", gaps: true, labels: ["1", "2.5", "-7"] },
    Float64Array.from({ length: N }, (_, n) => [1, 2.5, -7, Number.NaN, 4][n % 5]!),
  ],
  [
    "booleans that are numbers",
    { kind: "categorical", name: "k", type: "integer", isBoolean: true, gaps: true, labels: ["0", "1"] },
    Float64Array.from({ length: N }, (_, n) => [1, 0, 2, Number.NaN][n % 4]!),
  ],
];

test.each(CASES)("tensors encode and decode %s as numbers do", async (_, column, values) => {
  const encode = compile(
    (x) => ({ ...encodeTensors([column], [x]) }),
    { x: ["N"] },
    { precision: "float64" },
  );
  const { features, status } = await encode(values);
  const codes =
    column.kind === "categorical"
      ? values.map((value) =>
          Number.isNaN(value)
            ? value
            : (column.labels.indexOf(String(value)) + column.labels.length + 1) % (column.labels.length + 1),
        )
      : values;
  const expected = encodeRows([column], [codes]);
  expect(
    [...features].map((value, i) => (Number.isNaN(expected[i]) && !column.gaps ? Number.NaN : value)),
  ).toEqual([...expected]);
  const D = expected.length / N;
  const expectedStatus = new Uint8Array(N);
  const block = { values: codes, features: encodeColumn(column, codes), start: 0 };
  new UnlearnedCounts().count(column, block, expectedStatus);
  expect([...status]).toEqual([...expectedStatus]);
  const decode = compile((x) => decodeTensors([column], x), [["N", D]], {
    precision: "float64",
  });
  const possible = expected.map((value) => (value < 0 && column.kind !== "continuous" ? 0 : value));
  const [decoded] = await decode(possible);
  const numbers = decodeRows([column], possible)[0]!;
  decoded!.forEach((value, n) => {
    const wanted =
      column.kind === "categorical" ? Number(column.labels[numbers[n]!] ?? Number.NaN) : numbers[n]!;
    if (Number.isNaN(wanted)) expect(value).toBeNaN();
    else expect(value).toBeCloseTo(wanted, 9);
  });
});
