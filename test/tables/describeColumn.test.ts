import { expect, it } from "vitest";
import { describeColumn } from "../../src/tables/columns/describeColumn.ts";
import { inferColumn } from "../../src/tables/columns/inferColumn.ts";
import type { RawColumn } from "../../src/tables/columns/tableColumn.ts";
import { rawColumns } from "../../src/tables/columns/tableRows.ts";
import { typedText } from "../../src/tables/columns/typedText.ts";
import { valueRemarks } from "../../src/tables/columns/valueRemarks.ts";
import { normal, numbers, sequence, texts, times, uniform } from "./rawColumns.ts";

const described = (raw: RawColumn, range?: string) => {
  const inferred = inferColumn(raw);
  if ("excluded" in inferred) return inferred.excluded;
  const { kind, details } = describeColumn(inferred.column, range);
  return `${kind}: ${details}`;
};

it("describes the labels, units and bounds of a column", () => {
  expect([
    described(texts(["b", "a", "a"])),
    described(texts(sequence(60, (i) => `a long label with number ${i % 6}`))),
    described(numbers([1, 0, 1], { type: "boolean" })),
    described(numbers(sequence(60, (i) => 25 * (i % 7)))),
    described(numbers(sequence(60, (i) => i % 7)), "0 to 6"),
    described(numbers(sequence(600, (i) => i % 7)), "0 to 6"),
    described(
      numbers(
        sequence(60, (i) => i % 24),
        { name: "hour" },
      ),
      "0 to 23",
    ),
    described(numbers(normal(60)), "-2.3 to 2.1"),
    described(numbers(uniform(60).map((u) => -Math.log(u)))),
    described(numbers(uniform(60))),
    described(numbers(normal(500).map((x) => Math.min(1, x)))),
    described(times("timestamp", ["2020-01-06T10:00", "2020-02-08T12:00"])),
    described(numbers([null])),
    described(texts(["EUR"])),
  ]).toMatchInlineSnapshot(`
    [
      "categorical: a, b",
      "categorical: 6 labels: a long label with..., a long label with..., a long label with..., a long label with..., ...",
      "boolean: false, true",
      "lattice: within 0 to 300; step 25",
      "integer: 0 to 6; within 0 to 12",
      "integer: 0 to 6",
      "cyclic: 0 to 23; period 24",
      "continuous: -2.3 to 2.1",
      "positive: at least 0",
      "bounded: within 0 to 1",
      "continuous: at most 1",
      "timestamp: within 2019-12-09 00:00:00 to 2020-03-08 23:00:00; week, weekday, hour",
      "constant: always missing",
      "constant: EUR",
    ]
  `);
});

it("remarks on codes for missing values and on values that many rows have", () => {
  const remarks = (values: readonly (number | null)[]) => valueRemarks(numbers(values));
  expect(remarks(uniform(100).map((u, i) => (i % 10 < 7 ? 0 : u)))).toEqual(["0 in 70% of the rows"]);
  expect(remarks(uniform(100).map((u, i) => (i % 10 === 0 ? -999 : u)))).toEqual([
    "perhaps codes for missing values: -999",
  ]);
  expect(remarks(normal(100))).toEqual([]);
  expect(remarks(sequence(100, (i) => i % 3))).toEqual([]);
  expect(remarks([null, null])).toEqual([]);
  expect(valueRemarks(texts(["a", "a"]))).toEqual([]);
  const [untilNow] = rawColumns(
    Array.from({ length: 60 }, (_, i) => ({ until: i % 3 === 0 ? "9999-12-31" : `2024-0${1 + (i % 9)}-11` })),
  );
  expect(valueRemarks(untilNow!)).toEqual(["perhaps codes for missing values: 9999-12-31"]);
  expect(valueRemarks(texts(["5", "NA", "7.5", "?", "-1e3"]))).toEqual([
    "mostly numbers, but also '?', 'NA', so taken as labels: --na reads words as missing",
  ]);
  expect(valueRemarks(texts(["1,5", "2,25", "3"]))).toEqual([
    'numbers with commas, taken as labels: --decimal "," reads decimal commas of a CSV file',
  ]);
  expect(valueRemarks(texts(["#N/A", "$1,250", "$900", "$3,100"]))[0]).toMatch("such as '$1,250'");
  for (const thousands of [
    ["213,200", "99", "1,140,300"],
    ["213,207.23", "-1,500.5"],
    ["1,000", "+2,000"],
  ])
    expect(valueRemarks(texts(thousands))).toEqual([
      "numbers with commas between thousands, taken as labels: remove the commas in a query, for example by CAST(replace(..., ',', '') AS DOUBLE)",
    ]);
  // No number above 1,000 begins with 0, and groups of thousands have three digits.
  for (const decimals of [
    ["0,801", "1,234"],
    ["213,200", "1,5"],
    ["1.234,5", "7"],
  ])
    expect(valueRemarks(texts(decimals))).toEqual([
      'numbers with commas, taken as labels: --decimal "," reads decimal commas of a CSV file',
    ]);
  expect(valueRemarks(texts(["12,5%", "1.100,75 %", "3%"]))).toEqual([
    "numbers with units, separators or parentheses, such as '1.100,75 %', taken as labels: convert them in a query, for example by CAST(replace(regexp_replace(..., '[^-0-9,]', '', 'g'), ',', '.') AS DOUBLE)",
  ]);
  for (const units of [
    ["32%", "4.5 %", "-1%"],
    ["$12,345", "$ 7", "-€3.50"],
  ]) {
    const labels = [...units].sort();
    expect(valueRemarks(texts(units))).toEqual([
      `numbers with units, separators or parentheses, such as '${labels[0]}', taken as labels: convert them in a query, for example by CAST(regexp_replace(..., '[^-0-9.]', '', 'g') AS DOUBLE)`,
    ]);
  }
  for (const [amounts, number] of [
    [["1'234.50", "980.00", "12'000.10"], "regexp_replace(..., '[^-0-9.]', '', 'g')"],
    [["1 234,50", "12\u202f000,10"], "replace(regexp_replace(..., '[^-0-9,]', '', 'g'), ',', '.')"],
    [["(500.00)", "12.50", "(3)"], "regexp_replace(replace(..., '(', '-'), '[^-0-9.]', '', 'g')"],
  ] as const)
    expect(valueRemarks(texts(amounts), { isLeftOut: true })).toEqual([
      `numbers with units, separators or parentheses, such as '${[...amounts].sort()[0]}', left out: convert them in a query, for example by CAST(${number} AS DOUBLE)`,
    ]);
  expect(valueRemarks(texts(["<0.5", "0.7", "1.25"]))).toEqual([
    "mostly numbers, but also '<0.5', so taken as labels: convert limits of detection in a query, for example by CAST(regexp_replace(..., '[<>= ]', '', 'g') AS DOUBLE)",
  ]);
  expect(valueRemarks(texts(["<0.5", "0.7", "1.25", "NA"]))[0]).toMatch("--na reads words as missing");
  expect(valueRemarks(texts(["5 kg", "%", "$"]))).toEqual([]);
  expect(valueRemarks(texts(["a", "b", "1"]))).toEqual([]);
  expect(valueRemarks(texts(["1", "2.5"]))).toEqual([]);
  expect(valueRemarks(texts(["1", "2.5"]), { isLeftOut: true })).toEqual([
    "numbers that are stored as text, left out: convert them in a query, for example by CAST(... AS DOUBLE)",
  ]);
  expect(valueRemarks(texts(["5", "NA", "7.5"]), { isLeftOut: true })).toEqual([
    "mostly numbers, but also 'NA', so left out: --na reads words as missing",
  ]);
  for (const isLeftOut of [false, true])
    for (const postalCodes of [
      ["00123", "00456", "17000"],
      ["00123", "17000", "30159"],
    ])
      expect(valueRemarks(texts(postalCodes), { isLeftOut })).toEqual([]);
  expect(valueRemarks(texts(["00123", "17000", "unknown"]))).toEqual([
    "mostly numbers, but also 'unknown', so taken as labels: --na reads words as missing",
  ]);
  for (const isLeftOut of [false, true])
    for (const [dates, conversion] of [
      [["2024-01-31", "31.01.2024 12:30", "Feb 2, 2024", "2-Feb-2024"], "strptime(..., '%d-%b-%Y')"],
      [["31.01.2024 12:30", "01.02.2024 9:05"], "strptime(..., '%d.%m.%Y %H:%M')"],
      [["12/31/2024 2:30 PM", "1/2/2024 12:05 AM"], "strptime(..., '%m/%d/%Y %I:%M %p')"],
      [["2-Feb-2024 2:30:59pm", "12-Mar-2024 9:05:00am"], "strptime(..., '%d-%b-%Y %I:%M:%S%p')"],
      [["01/02/2024", "12/31/2023"], "strptime(..., '%m/%d/%Y')"],
      [["10.07.20", "24.12.21"], "strptime(..., '%d.%m.%y')"],
      [["07/10/20", "07/24/20"], "strptime(..., '%m/%d/%y')"],
      [["10-Jul-20", "24-Dec-20"], "strptime(..., '%d-%b-%y')"],
      [["Fri, 10 Jul 2020 21:31:00", "Mon, 13 Jul 2020 08:00:00"], "strptime(..., '%a, %d %b %Y %H:%M:%S')"],
      [["Feb 2, 2024", "Mar 12, 2024"], "strptime(..., '%b %d, %Y')"],
      [["2 February 2024", "12 March 2024"], "strptime(..., '%d %B %Y')"],
      [["2024-31-01", "2024-28-02", "2024-01-02"], "strptime(..., '%Y-%d-%m')"],
      [["14:30", "9:15:00+02:00", "23:59Z"], "CAST(... AS TIME)"],
      [["10:30 pm", "9:15 am"], "CAST(strptime(..., '%I:%M %p') AS TIME)"],
      [["23:59Z", "14:30Z"], "CAST(regexp_replace(..., ' ?(UTC|Z)$', '') AS TIME)"],
    ] as const)
      expect(valueRemarks(texts(dates), { isLeftOut })).toEqual([
        `dates or times in several formats, or in one that is not read, ${isLeftOut ? "left out" : "taken as labels"}: convert them in a query, for example by ${conversion}`,
      ]);
  for (const mistake of ["unknown", "2023-02-29", "2024-04-31 12:00"])
    expect(valueRemarks(texts(["2024-01-31", "2024-02-29", "2024-02-01", mistake]))).toEqual([
      `mostly dates or times, but also '${mistake}', so taken as labels: --na reads words as missing`,
    ]);
  expect(valueRemarks(texts(["1.2.3", "10.0.0.1", "version 1"]))).toEqual([]);
  expect(valueRemarks(texts(["a", "NULL", "b", "nan", "none", "n/a", "CNA"]))).toEqual([
    "the labels 'NULL', 'n/a', 'nan' may stand for missing values: --na reads words as missing",
  ]);
  expect(valueRemarks(texts(["1", "NULL", "NULL"]))).toEqual([
    "the label 'NULL' may stand for missing values: --na reads words as missing",
  ]);
  expect(valueRemarks(texts(["a", "NULL"]), { isLeftOut: true })).toEqual([]);
});

it("writes values as text that is read as the same value", () => {
  const time = (text: string) => Date.parse(`${text}Z`);
  expect(typedText("number", 0.1)).toBe("0.1");
  expect(typedText("number", -0)).toBe("0");
  expect(typedText("boolean", 1)).toBe("true");
  expect(typedText("date", time("1969-12-31"))).toBe("1969-12-31");
  expect(typedText("timestamp", time("2020-02-29T10:30:00.250"))).toBe("2020-02-29 10:30:00.250");
  expect(typedText("time", time("1970-01-01T10:30"))).toBe("10:30:00");
  expect(typedText("date", Date.UTC(12_020, 0, 5))).toBe("12020-01-05");
  expect(typedText("date", Date.UTC(-43, 2, 15))).toBe("0044-03-15 (BC)");
  expect(typedText("date", Date.parse("0044-03-15T00:00:00Z"))).toBe("0044-03-15");
});

it("remarks on integers that are dates without separators", () => {
  const dates = Array.from({ length: 12 }, (_, month) => 20_240_001 + 100 * (month + 1));
  const remarks = (values: readonly number[]) =>
    valueRemarks({ name: "day", type: "integer", values: Float64Array.from(values) });
  expect(remarks(dates)).toEqual([
    "perhaps dates, such as 20241231: convert them in a query, for example by strptime(CAST(... AS VARCHAR), '%Y%m%d')",
  ]);
  expect(remarks([...dates, 20_240_230])).toEqual([]);
  expect(remarks(dates.slice(0, 5))).toEqual([]);
});
