import { describe, expect, it } from "vitest";
import { openTable } from "../../src/tables/io/index.ts";
import { type ReadColumnsOptions, readColumns } from "../../src/tables/io/readColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

async function read(source: string, { na = [], ...options }: ReadColumnsOptions & { na?: string[] } = {}) {
  const table = await openTable(source, { na });
  try {
    return await readColumns(
      table,
      table.columns.map(({ name }) => name),
      options,
    );
  } finally {
    await table.close();
  }
}

/** The type of each column, and its values as text: labels, ISO dates, numbers. */
async function contents(source: string, options: Parameters<typeof read>[1] = {}) {
  const { columns, excluded } = await read(source, options);
  const shown = columns.map(({ name, type, values, labels }) => {
    const text = (value: number) =>
      Number.isNaN(value)
        ? null
        : labels
          ? labels[value]
          : type === "date" || type === "timestamp" || type === "time"
            ? new Date(value).toISOString()
            : value;
    return [name, [type, ...Array.from(values, text)]];
  });
  return { ...Object.fromEntries(shown), ...Object.fromEntries(excluded) };
}

const csv = (name: string, ...rows: string[]) => files.write(`${name}.csv`, `${rows.join("\n")}\n`);

describe("types of a text file", () => {
  it("reads dates, timestamps, times and booleans, with gaps", async () => {
    const path = csv(
      "kinds",
      "day,at,zone,hour,flag,word",
      "2020-02-29,2020-01-05 10:00,2020-01-05T10:00:00Z,10:30,True,yes",
      ",,,,,",
      "1969-12-31,1969-12-31T23:59:59.5,2300-01-01 00:00:00,23:59:59,FALSE,no",
    );
    expect(await contents(path)).toEqual({
      day: ["date", "2020-02-29T00:00:00.000Z", null, "1969-12-31T00:00:00.000Z"],
      at: ["timestamp", "2020-01-05T10:00:00.000Z", null, "1969-12-31T23:59:59.500Z"],
      zone: ["timestamp", "2020-01-05T10:00:00.000Z", null, "2300-01-01T00:00:00.000Z"],
      hour: ["time", "1970-01-01T10:30:00.000Z", null, "1970-01-01T23:59:59.000Z"],
      flag: ["boolean", 1, null, 0],
      word: ["text", "yes", null, "no"],
    });
  });

  it("reads values with white space around them", async () => {
    const path = csv("blanks", "n, flag, day, hour", "1, true, 2020-02-29, 10:30", "2,\tFALSE , , ");
    expect(await contents(path)).toEqual({
      n: ["integer", 1, 2],
      flag: ["boolean", 1, 0],
      day: ["date", "2020-02-29T00:00:00.000Z", null],
      hour: ["time", "1970-01-01T10:30:00.000Z", null],
    });
  });

  it("reads times with a time zone as UTC, whatever the format", async () => {
    const texts = [
      "2020-01-05T01:30:00+02:00",
      "2020-06-05 10:00:00Z",
      "2020-06-05 10:00:00.5-0330",
      "2020-06-05 10:00:00",
    ];
    const utc = [
      "2020-01-04T23:30:00.000Z",
      "2020-06-05T10:00:00.000Z",
      "2020-06-05T13:30:00.500Z",
      "2020-06-05T10:00:00.000Z",
    ];
    const yearLast = csv("zoneYearLast", "t", "31/12/2020 23:30:00-01:00");
    const sources = [
      csv("zones", "t,x", ...texts.map((text) => `${text},1`)),
      files.write("zones.json", JSON.stringify(texts.map((t) => ({ t })))),
      `SELECT unnest(['${texts.join("', '")}']) AS t`,
    ];
    for (const source of sources) {
      const { columns } = await read(source);
      expect(columns[0]).toMatchObject({ type: "timestamp", hasTimeZone: true });
      expect(Array.from(columns[0]!.values, (value) => new Date(value).toISOString())).toEqual(utc);
    }
    expect(await contents(yearLast)).toEqual({ t: ["timestamp", "2021-01-01T00:30:00.000Z"] });
    const typed = await read("SELECT TIMESTAMPTZ '2020-01-05 01:30:00+02' AS t");
    expect(typed.columns).toEqual([
      { name: "t", type: "timestamp", hasTimeZone: true, values: Float64Array.of(Date.parse(utc[0]!)) },
    ]);
    const local = await read("SELECT TIMESTAMP '2020-01-05 01:30:00' AS t");
    expect(local.columns[0]).not.toHaveProperty("hasTimeZone");
  });

  it("reads times of day with a time zone as UTC", async () => {
    const times = "unnest(['01:30:00.5+02', '24:00:00-03:30', '10:00:00+00', NULL]::TIMETZ[]) AS t";
    const { columns } = await read(`SELECT ${times}, unnest(['a', 'b', 'c', 'd']) AS word`);
    const seconds = [23.5 * 3600 + 0.5, 3.5 * 3600, 10 * 3600, Number.NaN];
    expect(columns[0]).toEqual({
      name: "t",
      type: "time",
      hasTimeZone: true,
      values: Float64Array.from(seconds, (second) => 1000 * second),
    });
    expect((await read("SELECT TIME '01:30' AS t")).columns[0]).not.toHaveProperty("hasTimeZone");
  });

  it("reads dates that begin with the day or the month if only one order is possible", async () => {
    const path = csv(
      "orders",
      "day_first,month_first,dots,with_time,same,unclear",
      "1/2/2020,1/2/2020,1.2.2020,13-05-2020 10:30,1/1/2020,1/2/2020",
      "31/12/2020,12/31/2020,3.4.2020,1-2-2020 24:00,2/2/2020,3/4/2020",
    );
    const [february1, december31] = ["2020-02-01T00:00:00.000Z", "2020-12-31T00:00:00.000Z"];
    expect(await contents(path)).toEqual({
      day_first: ["date", february1, december31],
      month_first: ["date", "2020-01-02T00:00:00.000Z", december31],
      dots: ["date", february1, "2020-04-03T00:00:00.000Z"],
      with_time: ["timestamp", "2020-05-13T10:30:00.000Z", "2020-02-02T00:00:00.000Z"],
      same: ["date", "2020-01-01T00:00:00.000Z", "2020-02-02T00:00:00.000Z"],
      unclear: ["text", "1/2/2020", "3/4/2020"],
    });
  });

  it("takes 24:00 for 0:00, and longer durations for text", async () => {
    expect(await contents(csv("midnight", "time,duration", "24:00,25:30", "00:00:00,1:00"))).toEqual({
      time: ["time", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
      duration: ["text", "25:30", "1:00"],
    });
  });

  it("keeps numbers with underscores as text", async () => {
    const path = csv("underscores", "season,plot,x", "2019_20,1_12,1", "2020_21,11_2,2");
    expect(await contents(path)).toEqual({
      season: ["text", "2019_20", "2020_21"],
      plot: ["text", "1_12", "11_2"],
      x: ["integer", 1, 2],
    });
  });

  it("keeps numbers of one length with leading zeros as text, unless they have two digits or decimals", async () => {
    const path = csv("codes", "zip,hour,length,number", "00123,01,0123,0.50", "94110,12,45,10.0");
    expect(await contents(path)).toEqual({
      zip: ["text", "00123", "94110"],
      hour: ["number", 1, 12],
      length: ["number", 123, 45],
      number: ["number", 0.5, 10],
    });
  });

  it("keeps a column with a wrong date as text", async () => {
    const path = csv("wrong", "day,month,year", "2020-02-28,2020-01,2020", "2020-02-30,2020-02,2021");
    expect(await contents(path)).toEqual({
      day: ["text", "2020-02-28", "2020-02-30"],
      month: ["text", "2020-01", "2020-02"],
      year: ["integer", 2020, 2021],
    });
  });

  it("reads missing values", async () => {
    const path = csv("missing", "a,b,c,d", "?,,x,2020-01-01", "1,, ,?", "nan,,y,2020-01-02");
    expect(await contents(path, { na: ["?"] })).toEqual({
      a: ["number", null, 1, null],
      b: ["text", null, null, null],
      c: ["text", "x", null, "y"],
      d: ["date", "2020-01-01T00:00:00.000Z", null, "2020-01-02T00:00:00.000Z"],
    });
  });
});

describe("types of DuckDB", () => {
  it("reads all numbers, texts, dates and times", async () => {
    const query = `SELECT 1.50::DECIMAL(5, 2) AS decimal, 3::DECIMAL(9, 0) AS whole, 7::HUGEINT AS huge, 8::UTINYINT AS byte,
      0.5::FLOAT AS float, true AS flag, 'b'::ENUM('b', 'a') AS enum, NULL AS nothing,
      '0c5b5a6e-7e58-4c8b-9e6c-0b9f8e4c1a11'::UUID AS uuid, DATE '1900-02-28' AS day, TIMESTAMP_S '2020-01-05 10:00:00' AS s,
      TIMESTAMP_NS '1969-12-31 23:59:59.999900' AS ns, TIMESTAMPTZ '2020-01-05 10:00:00+02' AS zone, TIME '24:00:00' AS time`;
    expect(await contents(query)).toEqual({
      decimal: ["number", 1.5],
      whole: ["integer", 3],
      huge: ["integer", 7],
      byte: ["integer", 8],
      float: ["number", 0.5],
      flag: ["boolean", 1],
      enum: ["text", "b"],
      nothing: ["integer", null],
      uuid: ["text", "0c5b5a6e-7e58-4c8b-9e6c-0b9f8e4c1a11"],
      day: ["date", "1900-02-28T00:00:00.000Z"],
      s: ["timestamp", "2020-01-05T10:00:00.000Z"],
      ns: ["timestamp", "1969-12-31T23:59:59.999Z"],
      zone: ["timestamp", "2020-01-05T08:00:00.000Z"],
      time: ["time", "1970-01-01T00:00:00.000Z"],
    });
  });

  it("leaves out what no model can learn, and says why", async () => {
    const query =
      "SELECT [1] AS list, [TIMESTAMP '2020-01-01'] AS times, ['10:00'::TIMETZ] AS zones, {a: 1} AS struct, 'x'::BLOB AS blob, MAP {'a': 1} AS map, INTERVAL 1 DAY AS i, 1 AS x";
    expect(await contents(query)).toEqual({
      list: "a model cannot learn values of the type INTEGER[]",
      times: "a model cannot learn values of the type TIMESTAMP[]",
      zones: "a model cannot learn values of the type TIME WITH TIME ZONE[]",
      struct: "a model cannot learn values of the type STRUCT(a INTEGER)",
      blob: "a model cannot learn values of the type BLOB",
      map: "a model cannot learn values of the type MAP(VARCHAR, INTEGER)",
      i: "a model cannot learn values of the type INTERVAL",
      x: ["integer", 1],
    });
  });

  it("reads dates and times of JSON, which has only text for them", async () => {
    const rows = [
      { day: "2020-01-05", at: "2020-01-05T10:00:00", number: "1", empty: "", mixed: 1 },
      { day: null, at: "2020-01-06 10:00:00", number: "2", empty: "x", mixed: "a" },
    ];
    expect(await contents(files.write("dates.json", JSON.stringify(rows)))).toEqual({
      day: ["date", "2020-01-05T00:00:00.000Z", null],
      at: ["timestamp", "2020-01-05T10:00:00.000Z", "2020-01-06T10:00:00.000Z"],
      number: ["text", "1", "2"],
      empty: ["text", null, "x"],
      mixed: ["text", "1", "a"],
    });
  });

  it("takes values that differ in 10 microseconds for the same millisecond", async () => {
    const query = "SELECT TIMESTAMP '2020-01-05 10:00:00.00001' AS a, TIMESTAMP '2020-01-05 10:00:00' AS b";
    const { columns } = await read(query);
    expect(columns[0]!.values).toEqual(columns[1]!.values);
  });
});

describe("text with many labels", () => {
  it("is left out without being read, unless it is stated to be categorical", async () => {
    const query =
      "SELECT 'label ' || (i % 10000) AS many, 'id ' || i AS id, i AS x FROM range(20000) AS t(i)";
    const { columns, excluded } = await read(query);
    expect(columns.map(({ name }) => name)).toEqual(["x"]);
    expect(excluded.get("many")).toMatch(/^text with about \d+ different values$/);
    expect(excluded.get("id")).toMatch(
      /^text whose values are nearly all different \(about \d+ in 20000 rows\)$/,
    );
    const [many] = (await read(query, { categorical: ["many"] })).columns;
    expect(many!.labels).toHaveLength(10_000);
    expect(Array.from(many!.values.slice(9_998, 10_001), (code) => many!.labels![code])).toEqual([
      "label 9998",
      "label 9999",
      "label 0",
    ]);
  });

  it("may contain any characters", async () => {
    const labels = ["🎉", "it's", 'a "quoted" one', "a,b", "né", "日本", "tab\t", "line\nbreak", "\u0000"];
    const path = files.write("any.json", JSON.stringify(labels.map((label) => ({ label }))));
    const { columns } = await read(path);
    expect(Array.from(columns[0]!.values, (code) => columns[0]!.labels![code])).toEqual(labels);
  });
});

it("reads tables without rows and with one row", async () => {
  expect(await contents("SELECT 1 AS x, 'a' AS y WHERE false")).toEqual({ x: ["integer"], y: ["text"] });
  expect(await contents(csv("one", "x,y", "1,a"))).toEqual({ x: ["integer", 1], y: ["text", "a"] });
});

it("refuses infinite numbers and times, with their row", async () => {
  expect(await files.failure(read(csv("infinite", "x", "1", "inf")))).toMatchInlineSnapshot(`
    "DATA The column "x" of infinite.csv is infinite in row 2: expected finite numbers, received Infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  const infinite = (type: string) =>
    files.failure(read(`SELECT unnest([${type} '2020-01-01', ${type} 'infinity']) AS time`));
  expect(await infinite("DATE")).toMatchInlineSnapshot(`
    "DATA The column "time" of the query has no finite time in row 2: expected a date before the year 275760, received infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  expect(await infinite("TIMESTAMP")).toMatchInlineSnapshot(`
    "DATA The column "time" of the query has no finite time in row 2: expected a date before the year 275760, received infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  expect(await files.failure(read("SELECT DATE '500000-01-01' AS day"))).toMatchInlineSnapshot(`
    "DATA The column "day" of the query has no finite time in row 1: expected a date before the year 275760, received 15716308780800000 milliseconds since 1970.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
});
