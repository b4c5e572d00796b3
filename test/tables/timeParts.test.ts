import { describe, expect, it } from "vitest";
import { partOf, TIME_PERIODS, timeOf, timeParts } from "../../src/tables/columns/timeParts.ts";
import { times } from "./rawColumns.ts";

const parts = (type: "date" | "timestamp" | "time", ...values: string[]) =>
  timeParts(type, times(type, values).values);
const units = (type: "date" | "timestamp" | "time", ...values: string[]) =>
  parts(type, ...values).parts.map(({ unit }) => unit);

describe("parts of a time", () => {
  it("are those of the calendar, also before 1970", () => {
    const part = (time: string, unit: Parameters<typeof partOf>[1]) =>
      partOf(Date.parse(time.includes("T") ? `${time}Z` : time), unit);
    // 1969-12-29 was a Monday.
    for (const monday of ["1969-12-29", "1970-01-05", "2024-02-26", "0001-01-01", "9999-12-27"])
      expect(part(monday, "weekday")).toBe(0);
    expect(part("1970-01-04", "weekday")).toBe(6);
    expect(part("1970-01-05", "week") - part("1969-12-29", "week")).toBe(1);
    expect(part("1969-12-31T23:59:58.250", "hour")).toBe(23);
    expect(part("1969-12-31T23:59:58.250", "minute")).toBe(59);
    expect(part("1969-12-31T23:59:58.250", "second")).toBe(58);
    expect(part("1969-12-31T23:59:58.250", "millisecond")).toBe(250);
    expect(part("2024-02-29", "day")).toBe(28);
    expect(part("2024-02-29", "month")).toBe(12 * 2024 + 1);
  });

  it("are weeks and week days, if dates differ by days", () => {
    expect(units("date", "2020-01-01", "2020-01-02")).toEqual(["weekday"]);
    expect(units("date", "2020-01-01", "2020-01-08")).toEqual(["week"]);
    expect(units("date", "2020-01-01", "2020-01-09")).toEqual(["week", "weekday"]);
  });

  it("are months, if dates have one day of the month, or are the last days of months", () => {
    expect(parts("date", "2020-01-15", "2020-02-15", "2020-04-15")).toMatchObject({
      dayOfMonth: 15,
      parts: [{ unit: "month" }],
    });
    expect(parts("date", "2020-01-31", "2020-02-29", "2021-02-28")).toMatchObject({ dayOfMonth: 31 });
    expect(
      parts("timestamp", "2020-01-01T10:00", "2020-02-01T10:30", "2020-03-01T10:30").parts.map(
        ({ unit }) => unit,
      ),
    ).toEqual(["month", "minute"]);
    // Two months may have the same day by chance.
    expect(units("date", "2020-01-15", "2020-02-15")).toEqual(["week", "weekday"]);
  });

  it("are months and days, if weeks are too many", () => {
    expect(units("date", "0001-01-01", "9999-12-31", "2020-05-17")).toEqual(["month", "day"]);
    const { parts: found } = parts("date", "0001-01-01", "9999-12-31", "2020-05-17");
    expect(Math.max(...found.map(({ cells }) => cells))).toBeLessThanOrEqual(2 ** 17);
  });

  it("have the step that all their values have", () => {
    const quarters = Array.from(
      { length: 40 },
      (_, i) => `2020-01-06T${10 + (i % 7)}:${["00", "15", "30", "45"][i % 4]}`,
    );
    expect(parts("timestamp", ...quarters).parts).toEqual([
      { unit: "hour", first: 0, cells: 24 },
      { unit: "minute", first: 0, cells: 4, step: 15 },
    ]);
    // Every second hour, from 1 o'clock. Two different hours would be no evidence of a step.
    const shifts = (hours: number[]) =>
      Array.from({ length: 40 }, (_, i) => `2020-01-06T0${hours[i % hours.length]}:${10 + (i % 40)}`);
    expect(parts("timestamp", ...shifts([1, 3, 5, 9])).parts[0]).toEqual({
      unit: "hour",
      first: 1,
      cells: 12,
      step: 2,
    });
    expect(parts("timestamp", ...shifts([1, 9])).parts[0]).toEqual({ unit: "hour", first: 0, cells: 24 });
    // Dates every second week, with cells before and after them.
    const weeks = Array.from({ length: 12 }, (_, i) => `2020-01-${6 + 14 * (i % 2)}`);
    const months = [0, 28, 56, 84, 112].flatMap((day) => {
      const date = new Date(Date.UTC(2020, 0, 6 + day)).toISOString().slice(0, 10);
      return [date, date, date];
    });
    expect(parts("date", ...weeks).parts).toMatchObject([{ unit: "week", first: 2610 - 2 }]);
    expect(parts("date", ...months).parts).toEqual([{ unit: "week", first: 2610 - 16, cells: 13, step: 4 }]);
  });

  it("are those that vary; later and earlier dates are possible", () => {
    expect(parts("timestamp", "2020-01-06T00:00", "2020-01-13T12:00", "2020-01-27T00:00")).toEqual({
      parts: [
        { unit: "week", first: 2610 - 3, cells: 10 },
        { unit: "hour", first: 0, cells: 24 },
      ],
      fixed: [
        { unit: "weekday", value: 0 },
        { unit: "minute", value: 0 },
        { unit: "second", value: 0 },
        { unit: "millisecond", value: 0 },
      ],
    });
    expect(units("time", "10:30", "10:31:00.5")).toEqual(["minute", "millisecond"]);
  });

  it("have dates of the years 1 to 9999", () => {
    const lastOf = (...dates: string[]) => {
      const [{ unit, first, cells }] = parts("date", ...dates).parts as [
        { unit: "week" | "month"; first: number; cells: number },
      ];
      return { unit, first, last: first + cells - 1 };
    };
    const month = lastOf("2020-02-24", "2021-05-03", "9999-12-31");
    expect(month).toMatchObject({ unit: "month", last: 12 * 9999 + 11 });
    expect(month.first).toBeGreaterThanOrEqual(12);
    // All days of a week are possible, so the last one is the week that ends on 9999-12-26.
    const lastWeek = partOf(Date.parse("9999-12-26"), "week");
    expect(lastOf("8000-01-03", "9999-12-06", "9000-01-03")).toMatchObject({ unit: "week", last: lastWeek });
    expect(lastOf("8000-01-03", "9999-12-31", "9000-01-03")).toMatchObject({
      unit: "week",
      last: lastWeek + 1,
    });
    expect(lastOf("0001-01-11", "0300-05-07", "0200-01-01")).toMatchObject({
      unit: "week",
      first: partOf(Date.parse("0001-01-01"), "week"),
    });
  });
});

it("a time is that of its parts, from the year 1 on", () => {
  const dates = [
    "0001-01-01",
    "0004-02-29",
    "0031-05-30",
    "0099-12-31",
    "0100-01-01",
    "1969-12-31",
    "9999-12-31",
  ];
  const ofDays = times("date", dates).values;
  // Days, the last days of months, and one day of all months; the units of the latter two are months.
  const lastDays = times("date", [
    "0001-01-31",
    "0004-02-29",
    "0050-04-30",
    "0099-02-28",
    "2024-02-29",
  ]).values;
  const middleDays = times("date", ["0001-01-15", "0050-04-15", "0099-02-15"]).values;
  for (const values of [ofDays, lastDays, middleDays]) {
    const column = {
      kind: "time",
      name: "x",
      type: "date",
      gaps: false,
      ...timeParts("date", values),
    } as const;
    const again = values.map((time) =>
      timeOf(
        column,
        column.parts.map(({ unit }) => partOf(time, unit)),
      ),
    );
    expect(again).toEqual(values);
  }
});

describe("the phases of a week or a month", () => {
  const distance = (unit: "week" | "month", a: number, b: number) =>
    Math.hypot(
      ...TIME_PERIODS[unit].flatMap((period) => {
        const angles = [a, b].map((value) => (2 * Math.PI * value) / period);
        return [Math.sin, Math.cos].map((wave) => wave(angles[0]!) - wave(angles[1]!));
      }),
    );

  it.each([
    { unit: "week", inYear: 52 },
    { unit: "month", inYear: 12 },
  ] as const)(
    "distinguish any two of a year, and are about those of one year later: $unit",
    ({ unit, inYear }) => {
      for (let a = 0; a < inYear; a++) {
        for (let b = 0; b < a; b++) expect(distance(unit, a, b)).toBeGreaterThan(1.5);
        expect(distance(unit, a, a + inYear)).toBeLessThan(0.5);
      }
    },
  );
});
